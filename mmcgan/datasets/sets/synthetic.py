"""Images made up on the spot, to try a configuration without its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.datasets.base import ImageDataset, check_image_size
from mmcgan.datasets.given import Given
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS


@DATASETS.register_module()
class SyntheticImages(ImageDataset):
    """Gray levels that depend on the class, plus noise; image i is a function of (seed, i).

    Args:
        num_classes: 0 for an unlabelled set.
        image_size: height and width.
        size: number of images; their labels go round the classes.
        seed: of the noise.
        pipeline: mmcv transforms.

    Raises:
        ValueError: a negative number of classes, a bad size or no images.
    """

    disk_arguments = ()

    def __init__(
        self,
        num_classes: int,
        image_size: int,
        size: int = 64,
        seed: int = 0,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        check_image_size(image_size, "SyntheticImages")
        if num_classes < 0 or size < 1:
            raise ValueError(
                "SyntheticImages: num_classes must be 0 or more and size at least 1, "
                f"got {num_classes} and {size}"
            )
        labels = torch.arange(size) % num_classes if num_classes else None
        super().__init__(image_size, labels, [str(i) for i in range(num_classes)], size, pipeline)
        self.seed = seed

    def _fetch(self, index: Tensor) -> Tensor:
        return torch.stack([self._make(i) for i in index.tolist()])

    def _make(self, index: int) -> Tensor:
        generator = make_generator(self.seed, "synthetic image", index)
        noise = torch.randint(128, (3, self.image_size, self.image_size), generator=generator)
        if self.labels is not None and self.classes is not None:
            noise += 127 * int(self.labels[index]) // len(self.classes)
        return noise.to(torch.uint8)

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class."""
        if not given.num_classes:
            return dict(num_classes=0, image_size=given.image_size)
        counts = torch.bincount(torch.arange(given.size) % given.num_classes, minlength=given.num_classes)
        return dict(
            num_classes=given.num_classes, image_size=given.image_size, class_counts=tuple(counts.tolist())
        )
