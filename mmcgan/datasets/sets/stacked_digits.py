"""Three digits in the three colours: a thousand classes, the field's test of mode coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.datasets.base import MemoryDataset
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.digits import DigitsDataset
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS

DIGITS = 10
MODES = DIGITS**3


@DATASETS.register_module()
class StackedDigits(MemoryDataset):
    """Images whose red, green and blue are digits of their own (stacked MNIST, Metz et al. 2017).

    The digits are scikit-learn's; the label is the number that they make, 0 to 999, red first. Which digits
    meet is drawn once and for all from ``seed``.

    Args:
        split: of :class:`DigitsDataset`; digits of ``train`` and ``test`` never mix.
        image_size: height and width.
        size: number of images.
        seed: of the draw.
        pipeline: mmcv transforms.

    Raises:
        ValueError: an unknown split, or a size below 1.
    """

    disk_arguments = ()

    def __init__(
        self,
        split: str = "train",
        image_size: int = 16,
        size: int = 50_000,
        seed: int = 0,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        digits = DigitsDataset(split, image_size)
        rows, labels = _draw(digits.labels, split, size, seed)
        images = torch.stack([digits.images[rows[:, i], 0] for i in range(3)], dim=1)
        classes = [f"{number:03d}" for number in range(MODES)]
        super().__init__(images, labels, classes, pipeline)
        self.split = split

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class."""
        labels = _draw(
            DigitsDataset(given.split, given.image_size).labels, given.split, given.size, given.seed
        )[1]
        counts = torch.bincount(labels, minlength=MODES)
        return dict(num_classes=MODES, image_size=given.image_size, class_counts=tuple(counts.tolist()))


def _draw(labels: Tensor | None, split: str, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return which digits meet (size, 3), and their number (size,).

    Digits are drawn class by class, so that all thousand numbers are equally likely.
    """
    if size < 1:
        raise ValueError(f"StackedDigits: size must be at least 1, got {size}")
    assert labels is not None
    source = make_generator(seed, "stacked digits", split)
    wanted = torch.randint(DIGITS, (size, 3), generator=source)
    share = torch.rand(size, 3, generator=source)
    order = labels.argsort(stable=True)
    counts = torch.bincount(labels, minlength=DIGITS)
    first = counts.cumsum(0) - counts
    rows = order[first[wanted] + (share * counts[wanted]).long()]
    numbers = (wanted * torch.tensor([DIGITS**2, DIGITS, 1])).sum(1)
    return rows, numbers
