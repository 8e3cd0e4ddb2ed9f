"""Images made up on the spot, to try a configuration without its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.condition_fields import condition_field
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
        pipeline: mmcv transforms, of images and labels.
        fields: further fields of the condition by name, with the size of each, 0 for one that has none: item
            i has what the kind of condition makes up of (seed, i).

    Raises:
        ValueError: a negative number of classes, a bad size or no images; no such field, or the label, whose
            size is ``num_classes``.
    """

    disk_arguments = ()

    def __init__(
        self,
        num_classes: int,
        image_size: int,
        size: int = 64,
        seed: int = 0,
        pipeline: Sequence[dict[str, Any]] = (),
        fields: Mapping[str, int] | None = None,
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
        self.fields = dict(fields or {})
        if "label" in self.fields:
            raise ValueError("SyntheticImages: fields has 'label', whose size is num_classes")
        for name in self.fields:
            condition_field(name)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``image`` uint8 (N, 3, H, W), when labelled ``label`` int64 (N,), and the fields.

        Raises:
            IndexError: an index is outside the data set.
        """
        batch = super().__getitems__(indices)
        made = {name: torch.cat([self._field(name, int(i)) for i in indices]) for name in self.fields}
        return {**batch, **made}

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``image`` uint8 (3, H, W), when labelled ``label``, and the fields."""
        return self.numbered_item(index)

    def _field(self, name: str, index: int) -> Tensor:
        """Return a row of a field."""
        source, sides = make_generator(self.seed, f"synthetic {name}", index), (self.image_size,) * 2
        return condition_field(name).made_up(1, self.fields[name], sides, source)

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
        """Return the class count, image size, images per class, and the sizes of further fields."""
        kinds = {name: condition_field(name).facts for name in given.fields or {}}
        known = {facts[0]: given.fields[name] for name, facts in kinds.items() if facts}
        known |= dict(num_classes=given.num_classes, image_size=given.image_size)
        if not given.num_classes:
            return known
        counts = torch.bincount(torch.arange(given.size) % given.num_classes, minlength=given.num_classes)
        return {**known, "class_counts": tuple(counts.tolist())}
