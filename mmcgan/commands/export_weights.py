"""``mmcgan export-weights``: a checkpoint's averaged generator, or its discriminator, for sharing."""

from __future__ import annotations

import argparse

from mmcgan.commands.shared import writes
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("checkpoint", help="checkpoint of a run (.pth)")
    out = parser.add_argument("out", help="NAME.safetensors to write; index.json beside it gets an entry")
    writes(parser, out, suffixes=(".safetensors",))
    parser.add_argument("--half", action="store_true", help="store float16 instead of float32")
    parser.add_argument(
        "--discriminator", action="store_true", help="write the discriminator, to restore images with"
    )
    parser.add_argument("--command-line", metavar="TEXT", help="what trained it, for the index")
    parser.add_argument(
        "--licence", metavar="TEXT", help="of the weights, for the index: an SPDX name, and whom to name"
    )
    parser.add_argument(
        "--latent-scale",
        type=float,
        metavar="S",
        help="sample the file with latents S times as wide as in training (see mmcgan test --latent-scales)",
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        help="of mmcgan test --json on this checkpoint: record its figures, not those of the training",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the file and say its hash."""
    from mmcgan.zoo.discriminators import export_discriminator
    from mmcgan.zoo.models import export_weights

    said = (arguments.half, arguments.command_line, arguments.licence)
    if arguments.discriminator:
        if arguments.latent_scale is not None or arguments.report is not None:
            raise ValueError("--latent-scale and --report are of generators, not of a --discriminator")
        entry = export_discriminator(arguments.checkpoint, arguments.out, *said)
    else:
        sampled = (arguments.latent_scale, arguments.report)
        entry = export_weights(arguments.checkpoint, arguments.out, *said, *sampled)
    say(f"{arguments.out}: sha256 {entry['sha256']}")
