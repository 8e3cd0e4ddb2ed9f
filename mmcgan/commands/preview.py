"""``mmcgan preview``: what training will see of a folder of images."""

from __future__ import annotations

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from mmcgan.commands.shared import writes

    parser.description = (
        "Show images as training reads them, and say how many there are, of which sizes, kinds and classes."
    )
    parser.add_argument("folder", metavar="FOLDER", help="folder of images; its subfolders may be classes")
    parser.add_argument("--image-size", type=int, default=64, metavar="N", help="default: %(default)s")
    parser.add_argument("--unlabelled", action="store_true", help="subfolders are no classes")
    out = parser.add_argument("--out", default="preview.png", metavar="FILE", help="default: %(default)s")
    writes(parser, out, suffixes=(".png",))
    parser.add_argument("--overwrite", action="store_true", help="replace a picture that is there")


def run(arguments: argparse.Namespace) -> None:
    """Write the picture and say what was found."""
    from mmcgan.proposal.preview import preview

    labelled = False if arguments.unlabelled else None
    seen = preview(arguments.folder, arguments.out, arguments.image_size, labelled, arguments.overwrite)
    print("\n".join(seen.lines()))
    print(f"picture: {arguments.out}")
