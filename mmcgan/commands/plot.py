"""``mmcgan plot``: curves of one or several runs, side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmcgan.commands.shared import PICTURES, add_overwrite, labelled_paths, writes
from mmcgan.output_paths import CURVES, says
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "runs", nargs="+", metavar="NAME=DIR", help="work directories, with a name or without"
    )
    parser.add_argument("--keys", nargs="+", default=["fid"], help="logged figures (default: fid)")
    parser.add_argument("--log-scale", action="store_true", help="logarithmic vertical axes")
    out = parser.add_argument("--out", default="curves.png", help="picture to write (default: %(default)s)")
    # of runs that go on, it is asked for again and again
    writes(parser, out, suffixes=PICTURES, own=says(CURVES))
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> None:
    """Draw the curves and print the picture's path."""
    from mmcgan.scalars import draw_curves, read_scalars

    runs = {name: read_scalars(folder) for name, folder in labelled_paths(arguments.runs).items()}
    draw_curves(runs, arguments.keys, Path(arguments.out), arguments.log_scale)
    say(f"picture: {arguments.out}")
