"""``mmcgan export``: a generator as an ONNX file."""

from __future__ import annotations

import argparse

from mmcgan.commands.shared import add_options, writes
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Write a generator as ONNX and compare it with PyTorch (needs the extra onnx)."
    parser.add_argument(
        "model", help="shipped model, file of weights, address, or config with its checkpoint"
    )
    paths = parser.add_argument(
        "paths", nargs="+", metavar="[CHECKPOINT] OUT.onnx", help="file to write, the last one"
    )
    writes(parser, paths, suffixes=(".onnx",))
    parser.add_argument(
        "--truncation", type=float, metavar="PSI", help="of StyleGAN2's styles, fixed in the file"
    )
    parser.add_argument(
        "--size", type=int, nargs=2, metavar=("H", "W"), help="of a generator that makes images of any size"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=1e-3,
        help="largest difference from PyTorch, of values in [-1, 1] (default: %(default)s)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file")
    add_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the file; say its inputs and how far it is from PyTorch."""
    *checkpoint, out = arguments.paths
    if len(checkpoint) > 1:
        raise ValueError(f"expected MODEL [CHECKPOINT] OUT.onnx, got {' '.join(arguments.paths)} after MODEL")
    from mmcgan.apis.onnx_export import export_onnx
    from mmcgan.config import parse_options

    written = export_onnx(
        arguments.model,
        out,
        checkpoint[0] if checkpoint else None,
        truncation=arguments.truncation,
        size=None if arguments.size is None else tuple(arguments.size),
        tolerance=arguments.tolerance,
        overwrite=arguments.overwrite,
        options=parse_options(arguments.cfg_options),
    )
    for name, shape in written.inputs.items():
        say(f"input {name}: {' x '.join(map(str, shape))}")
    if "latent" in written.inputs:
        say(f"latents: {written.latents}")
    say(f"largest difference from PyTorch: {written.difference:.3g} (limit {arguments.tolerance:g})")
    say(f"{written.path}: {written.path.stat().st_size} bytes")
