"""ImageNet (ILSVRC 2012) and Tiny-ImageNet, from their usual folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mmcgan.datasets.base import check_choice
from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.datasets.sets.walk import listed_files
from mmcgan.registry import DATASETS
from mmcgan.text_files import read_text

TINY_CLASSES = 200


@DATASETS.register_module()
class ImageNet(FileDataset):
    """ImageNet from ``root/<split>/<wnid>/*.JPEG``: 1000 classes in the order of their WordNet ids.

    Args:
        root: the folder with ``train`` and ``val``.
        split: ``train`` or ``val``.
        image_size: height and width of what comes out.
        fit: ``crop_long_side`` (BigGAN-PyTorch) or ``resize_short_side``.
        interpolation: as in :class:`~mmcgan.datasets.sets.folder.ImageFolder`.
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: there are not exactly 1000 class folders, or one is empty.
    """

    disk_arguments = ("root",)

    def __init__(
        self,
        root: str = "data/imagenet",
        split: str = "train",
        image_size: int = 128,
        fit: str = "crop_long_side",
        interpolation: str = "bilinear",
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        check_choice(split, ("train", "val"), "split", "ImageNet")
        reader = ImageReader(image_size, fit, interpolation)
        super().__init__(_scan_imagenet(Path(root), split), reader, False, pipeline)
        self.split = split

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count and image size, and where the data is present the images per class."""
        check_choice(given.split, ("train", "val"), "split", "ImageNet")
        ImageReader(given.image_size, given.fit, given.interpolation)  # checks the options
        known: dict[str, Any] = dict(num_classes=1000, image_size=given.image_size)
        if given.split == "val":
            known["class_counts"] = (50,) * 1000
        elif (Path(given.root) / given.split).is_dir():
            known["class_counts"] = _scan_imagenet(Path(given.root), given.split).class_counts()
        return known


def _scan_imagenet(root: Path, split: str) -> FolderIndex:
    folder = root / split
    if not folder.is_dir():
        raise FileNotFoundError(
            f"ImageNet: no folder {folder}. Unpack ILSVRC2012 so that it holds one folder per class "
            "(n01440764, ...), or set root"
        )
    index = scan_folder(folder, labelled=True)
    if index.classes is None or len(index.classes) != 1000:
        found = len(index.classes or ())
        raise ValueError(
            f"ImageNet: {folder} has {found} class folders, expected 1000; for a subset use "
            f"dict(type='ImageFolder', root='{folder}', ...)"
        )
    return index


@DATASETS.register_module()
class TinyImageNet(FileDataset):
    """Tiny-ImageNet: 200 classes, 500 training and 50 validation images of 64x64 each.

    Args:
        root: the unpacked ``tiny-imagenet-200``.
        split: ``train`` (``train/<wnid>/images``) or ``val`` (``val/images`` and its annotation file).
        image_size: height and width of what comes out.
        in_memory: decode everything at the start (1.2 GB for the training set at 64 pixels).
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: the folder or its annotation file is missing.
        ValueError: there are not exactly 200 class folders, or the annotation file names an unknown class or
            a line of it is malformed.
    """

    disk_arguments = ("root",)

    def __init__(
        self,
        root: str = "data/tiny-imagenet-200",
        split: str = "train",
        image_size: int = 64,
        in_memory: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        check_choice(split, ("train", "val"), "split", "TinyImageNet")
        folder = Path(root)
        if not (folder / split).is_dir():
            raise FileNotFoundError(
                f"TinyImageNet: no folder {folder / split}. Unpack tiny-imagenet-200.zip and set root to it"
            )
        index = scan_folder(folder / "train", labelled=True)
        found = len(index.classes or ())
        if found != TINY_CLASSES:
            raise ValueError(
                f"TinyImageNet: {folder / 'train'} has {found} class folders, expected {TINY_CLASSES}; for a "
                f"subset use dict(type='ImageFolder', root='{folder / 'train'}', ...)"
            )
        if split == "val":
            index = _scan_validation(folder, index.classes or ())
        super().__init__(index, ImageReader(image_size), in_memory, pipeline)
        self.split = split

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class; needs no files."""
        check_choice(given.split, ("train", "val"), "split", "TinyImageNet")
        ImageReader(given.image_size)  # checks the size
        per_class = 500 if given.split == "train" else 50
        return dict(
            num_classes=TINY_CLASSES, image_size=given.image_size, class_counts=(per_class,) * TINY_CLASSES
        )


def _scan_validation(root: Path, classes: tuple[str, ...]) -> FolderIndex:
    """Read ``val_annotations.txt``: file name, WordNet id and a box, separated by tabs."""
    annotations = root / "val" / "val_annotations.txt"
    if not annotations.is_file():
        raise FileNotFoundError(f"TinyImageNet: {annotations} is missing; the validation labels are in it")
    number = {name: label for label, name in enumerate(classes)}
    paths, labels = [], []
    for row, line in enumerate(read_text(annotations).rstrip("\n").split("\n"), start=1):
        fields = line.split("\t")
        if len(fields) < 2 or fields[1] not in number:
            raise ValueError(
                f"{annotations}, line {row}: expected a file name and one of the {len(classes)} classes "
                f"of the training set, separated by a tab, got {line[:60]!r}"
            )
        paths.append(str(root / "val" / "images" / fields[0]))
        labels.append(number[fields[1]])
    return FolderIndex(listed_files(paths, annotations), torch.tensor(labels, dtype=torch.int64), classes)
