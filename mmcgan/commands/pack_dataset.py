"""What ``mmcgan pack-dataset`` does with its parsed arguments."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mmcgan.config import load_config, parse_options
from mmcgan.datasets.base import ImageDataset
from mmcgan.datasets.packing.pack import SKIPPED, pack
from mmcgan.datasets.sets.folder import ImageFolder
from mmcgan.registry import DATASETS


def pack_command(arguments: Namespace) -> int:
    """Pack a folder, or the training set of a config, and say what was left out."""
    result = pack(_open_source(arguments), arguments.out, arguments.skip_bad)
    print(f"{result.root}: {result.size} images")
    if result.skipped:
        print(f"{len(result.skipped)} images skipped; they are listed in {result.root / SKIPPED}")
    return 0


def _open_source(arguments: Namespace) -> ImageDataset:
    source = arguments.source
    if Path(source).is_dir():
        if arguments.image_size is None:
            raise ValueError(f"{source} is a folder: give --image-size, the height and width to pack it at")
        if arguments.cfg_options:
            raise ValueError(f"{source} is a folder: --cfg-options is for configs")
        return ImageFolder(source, arguments.image_size, labelled=not arguments.unlabelled)
    if arguments.image_size is not None or arguments.unlabelled:
        raise ValueError(
            f"{source} is not a folder; --image-size and --unlabelled are for folders. For a config use "
            "--cfg-options train_dataloader.dataset.image_size=..."
        )
    config = load_config(source, parse_options(arguments.cfg_options))
    return DATASETS.build(config.train_dataloader.dataset)
