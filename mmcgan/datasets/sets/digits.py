"""The handwritten digits that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mmcgan.datasets.base import MemoryDataset, check_choice, check_image_size
from mmcgan.datasets.given import Given
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS

TEST_FRACTION = 0.2
SPLIT_SEED = 0


@cache
def _read() -> tuple[Tensor, Tensor]:
    """Return all images, float32 (1797, 1, 8, 8) in 0..16, and labels int64 (1797,)."""
    from sklearn.datasets import load_digits  # half a second to import

    data = load_digits()
    return torch.from_numpy(data.images).float()[:, None], torch.from_numpy(data.target).long()


def _split_index(labels: Tensor, split: str) -> Tensor:
    """Return the rows of ``split``: a fifth of every class, fixed once and for all, is the test set."""
    if split == "all":
        return torch.arange(len(labels))
    test = torch.zeros(len(labels), dtype=torch.bool)
    generator = make_generator(SPLIT_SEED, "digits split")
    for label in range(10):
        rows = (labels == label).nonzero().flatten()
        chosen = torch.randperm(len(rows), generator=generator)[: round(TEST_FRACTION * len(rows))]
        test[rows[chosen]] = True
    return (test if split == "test" else ~test).nonzero().flatten()


def _enlarge(images: Tensor, image_size: int) -> Tensor:
    """Return 8x8 images in 0..16 as uint8 (N, 1, image_size, image_size), bicubic."""
    images = images * (255.0 / 16.0)
    size = (image_size, image_size)
    images = interpolate(images, size, mode="bicubic", align_corners=False, antialias=True)
    return images.round().clamp(0, 255).to(torch.uint8)


def _check_options(split: str, image_size: int) -> None:
    check_choice(split, ("train", "test", "all"), "split", "DigitsDataset")
    check_image_size(image_size, "DigitsDataset")


@DATASETS.register_module()
class DigitsDataset(MemoryDataset):
    """1,797 digits of 8x8 pixels from scikit-learn, enlarged to ``image_size``.

    Args:
        split: ``train`` (80 % of every class), ``test`` (the other 20 %) or ``all``; the split is fixed.
        image_size: height and width; 8 keeps the pixels as they are.
        pipeline: mmcv transforms.

    Raises:
        ValueError: an unknown split or a bad size.
    """

    disk_arguments = ()

    def __init__(
        self, split: str = "train", image_size: int = 16, pipeline: Sequence[dict[str, Any]] = ()
    ) -> None:
        _check_options(split, image_size)
        images, labels = _read()
        index = _split_index(labels, split)
        classes = [str(digit) for digit in range(10)]
        super().__init__(_enlarge(images[index], image_size), labels[index], classes, pipeline)
        self.split = split

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class."""
        _check_options(given.split, given.image_size)
        labels = _read()[1]
        counts = torch.bincount(labels[_split_index(labels, given.split)], minlength=10)
        return dict(num_classes=10, image_size=given.image_size, class_counts=tuple(counts.tolist()))
