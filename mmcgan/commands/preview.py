"""``mmcgan preview``: what training will see of a folder of images."""

from __future__ import annotations

import argparse

from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from mmcgan.commands.shared import writes

    parser.description = (
        "Show images as training reads them, and say how many there are, of which sizes, kinds and classes."
    )
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="FOLDER",
        help="folder of images, whose subfolders may be classes, or zip archive; several count as one; or a "
        "config, whose training images are shown",
    )
    parser.add_argument("--image-size", type=int, metavar="N", help="of a folder (default: 64)")
    parser.add_argument("--unlabelled", action="store_true", help="subfolders are no classes")
    out = parser.add_argument("--out", default="preview.png", metavar="FILE", help="default: %(default)s")
    writes(parser, out, suffixes=(".png",))
    parser.add_argument("--overwrite", action="store_true", help="replace a picture that is there")


def run(arguments: argparse.Namespace) -> None:
    """Write the picture and say what was found.

    Raises:
        ValueError: settings of a folder for a config.
    """
    from mmcgan.archives import is_folder

    sources = arguments.folders
    one = sources[0]
    if len(sources) == 1 and not is_folder(one) and _is_config(one):
        lines = _of_config(arguments, one)
    else:
        from mmcgan.proposal.preview import preview

        labelled, size = False if arguments.unlabelled else None, arguments.image_size or 64
        lines = preview(sources, arguments.out, size, labelled, arguments.overwrite).lines(size)
    say("\n".join(lines))
    say(f"picture: {arguments.out}")


def _is_config(source: str) -> bool:
    from mmcgan.config.locate import find_config

    try:
        find_config(source)
    except (OSError, ValueError):
        return False
    return True


def _of_config(arguments: argparse.Namespace, config: str) -> list[str]:
    from mmcgan.config import load_config
    from mmcgan.proposal.preview import preview_dataset
    from mmcgan.registry import DATASETS

    if arguments.image_size is not None or arguments.unlabelled:
        raise ValueError(f"{config} is a config and says these itself: --image-size, --unlabelled")
    dataset = DATASETS.build(load_config(config).train_dataloader.dataset)
    seen = preview_dataset(dataset, config, arguments.out, arguments.overwrite)
    return seen.lines(dataset.metainfo.get("image_size"))
