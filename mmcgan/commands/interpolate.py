"""``mmcgan interpolate``: pictures of ways between latents, classes or instances."""

from __future__ import annotations

import argparse

from mmcgan.commands.shared import add_attributes, add_picture
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Draw the way between latents, classes or instances, a row each, or as an animation."
    add_picture(parser, "interpolation.png")
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
    add_attributes(parser)
    parser.add_argument(
        "--to-attributes",
        nargs="+",
        metavar="GROUP=NAME",
        help="of the second ends, where they are others (--attributes: of the first ones)",
    )
    parser.add_argument("--truncation", type=float, metavar="T", help="redraw latents beyond +-T")


def run(arguments: argparse.Namespace) -> None:
    """Write the picture."""
    from mmcgan.apis.attribute_sampling import given_attributes
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
        attributes=given_attributes(arguments.attributes),
        to_attributes=given_attributes(arguments.to_attributes, "--to-attributes"),
    )
    say(f"picture: {path}")
