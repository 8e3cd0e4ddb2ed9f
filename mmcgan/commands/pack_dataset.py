"""``mmcgan pack-dataset``: a data set packed for fast reading."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mmcgan.commands.shared import add_options, writes
from mmcgan.text_files import say

if TYPE_CHECKING:
    from mmcgan.datasets.base import GANDataset


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("source", help="config (its training set is packed), or folder of images")
    out = parser.add_argument("out", help="folder to make: root=OUT of PackedDataset, or of ShardDataset")
    writes(parser, out, folder=True)
    parser.add_argument(
        "--to",
        choices=("arrays", "shards"),
        default="arrays",
        help="pixels, the fastest to read; or tar shards of encoded images (default: %(default)s)",
    )
    parser.add_argument(
        "--image-size",
        type=int,
        metavar="N",
        help="height and width (for a folder); shards without it keep files as they are",
    )
    parser.add_argument("--shard-images", type=int, metavar="N", help="images in a shard")
    parser.add_argument("--unlabelled", action="store_true", help="subfolders of the folder are not classes")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave bad images out, list them in skipped.txt"
    )
    add_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Pack a folder, or the training set of a config, and say what was left out."""
    from mmcgan.datasets.counts import counts_lines, counts_of
    from mmcgan.datasets.packing.forms import TarShards
    from mmcgan.datasets.packing.pack import SKIPPED, pack

    dataset = _open_source(arguments)
    as_stored = arguments.image_size is None
    form = TarShards(as_stored) if arguments.to == "shards" else None
    result = pack(dataset, arguments.out, arguments.skip_bad, arguments.shard_images, form)
    say(f"{result.root}: {result.size} images")
    say("\n".join(counts_lines(counts_of(dataset, result.skipped).to_json())))
    if result.skipped:
        say(f"{len(result.skipped)} images skipped; they are listed in {result.root / SKIPPED}")


def _open_source(arguments: argparse.Namespace) -> GANDataset:
    from mmcgan.archives import is_folder
    from mmcgan.config import load_config, parse_options
    from mmcgan.datasets.sets.folder import ImageFolder
    from mmcgan.registry import DATASETS

    source = arguments.source
    if is_folder(source):
        if arguments.image_size is None and arguments.to == "arrays":
            raise ValueError(f"{source} is a folder: give --image-size, the height and width to pack it at")
        if arguments.cfg_options:
            raise ValueError(f"{source} is a folder: --cfg-options is for configs")
        return ImageFolder(source, arguments.image_size or 64, labelled=not arguments.unlabelled)
    if arguments.image_size is not None or arguments.unlabelled:
        raise ValueError(
            f"{source} is not a folder; --image-size and --unlabelled are for folders. For a config use "
            "--cfg-options train_dataloader.dataset.image_size=..."
        )
    config = load_config(source, parse_options(arguments.cfg_options))
    return DATASETS.build(config.train_dataloader.dataset)
