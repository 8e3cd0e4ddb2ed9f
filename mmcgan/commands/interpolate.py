"""``mmcgan interpolate`` and ``mmcgan sefa``: pictures of ways through a generator's latents."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def _parser(name: str, description: str, picture: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"mmcgan {name}", description=description, allow_abbrev=False)
    parser.add_argument("model", help="shipped model (see `mmcgan list`), config, or file of weights")
    parser.add_argument("checkpoint", nargs="?", help="weights; not needed for a shipped model")
    parser.add_argument("--seed", type=int, default=0, help="of the latents (default: %(default)s)")
    parser.add_argument("--out", default=picture, metavar="FILE", help=".png, .gif, .mp4 (%(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="settings of a config to replace"
    )
    return parser


def interpolate_parser() -> argparse.ArgumentParser:
    """Return the parser of ``mmcgan interpolate``."""
    text = "Draw the way between latents, classes or instances, a row each, or as an animation."
    parser = _parser("interpolate", text, "interpolation.png")
    parser.add_argument("--rows", type=int, default=4, help="ways (default: %(default)s)")
    parser.add_argument(
        "--steps", type=int, default=8, help="images on each, with both ends (default: %(default)s)"
    )
    parser.add_argument(
        "--fix-z", action="store_true", help="keep the latent: change class or instance alone"
    )
    parser.add_argument(
        "--fix-y", action="store_true", help="keep class and instance: change the latent alone"
    )
    parser.add_argument(
        "--method", default="spherical", help="of latents: linear or spherical (default: %(default)s)"
    )
    parser.add_argument(
        "--labels", nargs="+", metavar="LABEL", help="classes of the ends, in turn (default: all)"
    )
    parser.add_argument("--truncation", type=float, metavar="T", help="redraw latents beyond +-T")
    return parser


def sefa_parser() -> argparse.ArgumentParser:
    """Return the parser of ``mmcgan sefa``."""
    text = "Move one latent along the directions that change the image most (SeFa), a row each."
    parser = _parser("sefa", text, "sefa.png")
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
    return parser


def interpolate_command(argv: Sequence[str]) -> int:
    """Write the picture of ``mmcgan interpolate``."""
    arguments = interpolate_parser().parse_args(argv)
    from mmcgan.apis.interpolation import InterpolationOptions, interpolate
    from mmcgan.config import parse_options

    path = interpolate(
        arguments.model,
        arguments.checkpoint,
        labels=arguments.labels,
        ways=InterpolationOptions(
            arguments.rows, arguments.steps, arguments.fix_z, arguments.fix_y, arguments.method
        ),
        seed=arguments.seed,
        truncation=arguments.truncation,
        out=arguments.out,
        overwrite=arguments.overwrite,
        options=parse_options(arguments.cfg_options),
    )
    print(f"picture: {path}")
    return 0


def sefa_command(argv: Sequence[str]) -> int:
    """Write the picture of ``mmcgan sefa``."""
    arguments = sefa_parser().parse_args(argv)
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
    )
    print(f"picture: {path}")
    return 0
