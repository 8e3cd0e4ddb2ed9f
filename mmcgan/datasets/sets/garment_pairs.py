"""A hundred classes out of ten: two garments of Fashion-MNIST in the red and the green channel."""

from __future__ import annotations

import torch
from torch.nn.functional import avg_pool2d, pad

from mmcgan.datasets.base import MemoryDataset
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.fashion_mnist import FashionMNIST
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS

GARMENT_SIZE, IMAGE_SIZE, GARMENTS = 28, 16, 10


@DATASETS.register_module()
class GarmentPairs(MemoryDataset):
    """Images uint8 (3, 16, 16) of two garments, 100 classes; for questions that need many classes.

    Both garments are 28 x 28 averaged to 14 x 14 with a border of one pixel, one in the red channel, one in
    the green; the blue one is 0. Red garment a and green garment b make class 10 a + b. Each image of
    Fashion-MNIST is used once as a red and once as a green half, in a seeded order.

    Args:
        split: ``train`` (60,000 pairs, some 600 a class) or ``test`` (10,000).
        count: use the first ``count`` pairs only.
        root: folder of Fashion-MNIST's IDX files; by default where Debian's package puts them.

    Raises:
        FileNotFoundError: Fashion-MNIST is not there.
        ValueError: ``count`` is not among 1 to the number of pairs.
    """

    disk_arguments = ("root",)

    def __init__(self, split: str = "train", count: int | None = None, root: str | None = None) -> None:
        garments = FashionMNIST(split=split, root=root, image_size=GARMENT_SIZE)
        assert garments.labels is not None and garments.classes is not None
        size = len(garments) if count is None else count
        if not 1 <= size <= len(garments):
            raise ValueError(f"GarmentPairs: count must be among 1 to {len(garments)}, got {count}")
        border = (IMAGE_SIZE - GARMENT_SIZE // 2) // 2
        small = pad(avg_pool2d(garments.images.float(), 2), (border,) * 4).round().to(torch.uint8)[:, :1]
        order = torch.randperm(len(small), generator=make_generator(0, "pairs", split))
        images = torch.cat([small, small[order], torch.zeros_like(small)], dim=1)
        labels = GARMENTS * garments.labels + garments.labels[order]
        names = [f"{red} + {green}" for red in garments.classes for green in garments.classes]
        super().__init__(images[:size], labels[:size], names)

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, int]:
        """Return the class count and image size; needs no files."""
        return dict(num_classes=GARMENTS**2, image_size=IMAGE_SIZE)
