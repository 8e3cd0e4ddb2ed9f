"""Fashion-MNIST from its IDX files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from mmcgan.datasets.base import MemoryDataset, check_choice
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.download import download_once
from mmcgan.datasets.sets.idx import read_idx
from mmcgan.registry import DATASETS

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # Debian package dataset-fashion-mnist
DOWNLOAD_FOLDER = Path("data")
RAW_FOLDER = Path("FashionMNIST/raw")
SIDE = 28  # of the images in the files
PREFIX = {"train": "train", "test": "t10k"}


@DATASETS.register_module()
class FashionMNIST(MemoryDataset):
    """Fashion-MNIST (Xiao et al., 2017): 60,000 + 10,000 gray images of 28x28 in 10 classes.

    Args:
        root: folder of the ``*-ubyte`` or ``*-ubyte.gz`` files; None looks in the Debian package's folder,
            then in ``data/FashionMNIST/raw``.
        split: ``train`` or ``test``.
        image_size: 28, or more to pad with black on all sides; less, from 14 on: four pixels each are
            averaged first, which makes 14, so that 16 shows what 32 does at half the size.
        download: fetch the files into ``root`` (default ``data``) through torchvision if they are missing.
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: the files are nowhere; the message says how to get them.
        ValueError: an unknown split, an ``image_size`` below 14 or odd, or damaged files.
    """

    disk_arguments = ("root",)
    user_arguments = ("download",)

    def __init__(
        self,
        root: str | None = None,
        split: str = "train",
        image_size: int = 32,
        download: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        _check_options(split, image_size)
        folder = _find_folder(root, split, download)
        images, labels = _read(folder, split)
        shown = images[:, None]
        if image_size < SIDE:
            shown = avg_pool2d(shown.float(), 2).round().to(torch.uint8)
        border = (image_size - shown.shape[-1]) // 2
        super().__init__(pad(shown, (border,) * 4), labels, CLASSES, pipeline)
        self.split = split

    @classmethod
    def default_folders(cls) -> tuple[Path, ...]:
        """Return the folders that are looked at without a ``root``."""
        return SYSTEM_FOLDER, DOWNLOAD_FOLDER / RAW_FOLDER

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class; needs no files."""
        _check_options(given.split, given.image_size)
        per_class = 6000 if given.split == "train" else 1000
        return dict(num_classes=10, image_size=given.image_size, class_counts=(per_class,) * 10)


def _check_options(split: str, image_size: int) -> None:
    check_choice(split, tuple(PREFIX), "split", "FashionMNIST")
    if not isinstance(image_size, int) or image_size < SIDE // 2 or image_size % 2:
        raise ValueError(
            "FashionMNIST: image_size must be an even number from 14 on (28x28 images are padded; below 28 "
            f"they are made 14x14 first), got {image_size!r}"
        )


def _find_folder(root: str | None, split: str, download: bool) -> Path:
    """Return the first folder that holds the split's files, downloading them if asked to."""
    base = DOWNLOAD_FOLDER if root is None else Path(root)
    folders = [SYSTEM_FOLDER, base / RAW_FOLDER] if root is None else [base, base / RAW_FOLDER]
    for folder in folders:
        if all(_find_file(folder, name) for name in _names(split)):
            return folder
    if download:
        import torchvision  # seconds to import, with all its models

        download_once(lambda: torchvision.datasets.FashionMNIST(str(base), download=True), "FashionMNIST")
        return base / RAW_FOLDER
    raise FileNotFoundError(
        f"FashionMNIST: {' and '.join(_names(split))} (or .gz) not found in "
        f"{' or '.join(str(folder) for folder in folders)}. Install the Debian package "
        "dataset-fashion-mnist, or set root to a folder that has them, or set download=True"
    )


def _names(split: str) -> tuple[str, str]:
    return f"{PREFIX[split]}-images-idx3-ubyte", f"{PREFIX[split]}-labels-idx1-ubyte"


def _find_file(folder: Path, name: str) -> Path | None:
    candidates = [folder / name, folder / f"{name}.gz"]
    return next((path for path in candidates if path.is_file()), None)


def _read(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Return images uint8 (N, 28, 28) and labels int64 (N,)."""
    paths = [_find_file(folder, name) for name in _names(split)]
    if None in paths:
        raise FileNotFoundError(f"FashionMNIST: the download did not leave {_names(split)} in {folder}")
    images, labels = (read_idx(path) for path in paths if path is not None)
    if images.ndim != 3 or tuple(images.shape[1:]) != (28, 28):
        raise ValueError(f"{paths[0]}: expected images of 28x28, got shape {tuple(images.shape)}")
    if labels.ndim != 1:
        raise ValueError(f"{paths[1]}: expected one label per image, got shape {tuple(labels.shape)}")
    return images, labels.to(torch.int64)
