"""``mmcgan new``: from a folder of images to a config that trains on them in a given time."""

from __future__ import annotations

import argparse

from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from mmcgan.commands.shared import writes

    parser.description = (
        "Look at a folder of images, measure what this machine does in a second, and write a config that "
        "trains on them in the time, with a reason for each choice. The config is yours to change. What "
        "other work the machine does meanwhile is not counted, and said."
    )
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="FOLDER",
        help="folder of images, whose subfolders may be classes, or zip archive; several count as one",
    )
    parser.add_argument(
        "--hours", type=float, default=2.0, metavar="H", help="until training ends (default: %(default)s)"
    )
    parser.add_argument("--unlabelled", action="store_true", help="subfolders are no classes")
    parser.add_argument("--no-flip", action="store_true", help="mirrored images show something else")
    out = parser.add_argument(
        "--out", metavar="DIR", help="folder to make (default: the first FOLDER's name with -gan)"
    )
    writes(parser, out, folder=True)


def run(arguments: argparse.Namespace) -> None:
    """Write the config and what it needs, and say how to train it."""
    from pathlib import Path

    from mmcgan.archives import ENDING
    from mmcgan.proposal.propose import propose

    out = arguments.out or f"{Path(arguments.folders[0]).resolve().name.removesuffix(ENDING)}-gan"
    made = propose(
        arguments.folders,
        out,
        arguments.hours,
        False if arguments.unlabelled else None,
        not arguments.no_flip,
        arguments.invocation,
    )
    say(f"config: {made.config}")
    say(f"next, {made.duration}: {made.command}")
