"""``mmcgan sefa``: the directions of a generator's latents that change its images most."""

from __future__ import annotations

import argparse

from mmcgan.commands.shared import add_attributes, add_picture
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Move one latent along the directions that change the image most (SeFa), a row each."
    add_picture(parser, "sefa.png")
    parser.add_argument("--directions", type=int, default=5, help="how many (default: %(default)s)")
    parser.add_argument(
        "--strengths",
        type=float,
        nargs="+",
        default=[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0],
        metavar="S",
        help="how far, in unit vectors (default: -3 to 3)",
    )
    parser.add_argument("--label", metavar="LABEL", help="class to show (default: the first)")
    add_attributes(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the picture."""
    from mmcgan.apis.attribute_sampling import given_attributes
    from mmcgan.apis.interpolation import sefa
    from mmcgan.config import parse_options

    path = sefa(
        arguments.model,
        arguments.checkpoint,
        directions=arguments.directions,
        strengths=arguments.strengths,
        label=arguments.label,
        seed=arguments.seed,
        out=arguments.out,
        overwrite=arguments.overwrite,
        options=parse_options(arguments.cfg_options),
        attributes=given_attributes(arguments.attributes),
    )
    say(f"picture: {path}")
