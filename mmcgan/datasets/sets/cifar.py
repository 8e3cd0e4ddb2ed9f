"""CIFAR10 and CIFAR100 through torchvision's readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mmcgan.datasets.base import MemoryDataset, check_choice
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.download import download_once
from mmcgan.registry import DATASETS


class _CIFAR(MemoryDataset):
    """Common to both: 32x32 colour images, 50,000 for training and 10,000 for test."""

    reader: str  # in torchvision.datasets
    folder: str  # which it makes
    num_classes: int

    def __init__(
        self,
        root: str = "data",
        split: str = "train",
        download: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        import torchvision  # seconds to import, with all its models

        name, reader = type(self).__name__, getattr(torchvision.datasets, self.reader)
        check_choice(split, ("train", "test"), "split", name)
        if download:
            download_once(lambda: reader(root, download=True), name)
        try:
            data = reader(root, train=split == "train")
        except RuntimeError as error:
            raise FileNotFoundError(
                f"{name}: not found or damaged under {root!r} ({reader.base_folder}). Set root to the "
                "folder that holds it, or set download=True"
            ) from error
        images = torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous()
        super().__init__(images, torch.tensor(data.targets), data.classes, pipeline)
        self.split = split

    @classmethod
    def default_folders(cls) -> tuple[Path, ...]:
        """Return where torchvision puts the files."""
        return (Path("data") / cls.folder,)

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class; needs no files."""
        check_choice(given.split, ("train", "test"), "split", cls.__name__)
        per_class = (50_000 if given.split == "train" else 10_000) // cls.num_classes
        return dict(num_classes=cls.num_classes, image_size=32, class_counts=(per_class,) * cls.num_classes)


@DATASETS.register_module()
class CIFAR10(_CIFAR):
    """CIFAR10 (Krizhevsky, 2009) from torchvision's files.

    Args:
        root: folder that holds ``cifar-10-batches-py``.
        split: ``train`` or ``test``.
        download: fetch the files if they are missing.
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: the files are missing or damaged.
        ValueError: an unknown split.
    """

    disk_arguments = ("root",)
    user_arguments = ("download",)

    reader = "CIFAR10"
    folder = "cifar-10-batches-py"
    num_classes = 10


@DATASETS.register_module()
class CIFAR100(_CIFAR):
    """CIFAR100 (Krizhevsky, 2009), the 100 fine classes; parameters as :class:`CIFAR10`."""

    disk_arguments = ("root",)
    user_arguments = ("download",)

    reader = "CIFAR100"
    folder = "cifar-100-python"
    num_classes = 100
