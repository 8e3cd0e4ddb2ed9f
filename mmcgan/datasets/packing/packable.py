"""A data set as packing reads it: images and labels alone, whatever else it was written with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.class_names import named_classes
from mmcgan.datasets.base import GANDataset, check_labels
from mmcgan.datasets.decode import BadImageError

HELD = ("image", "label")


class Packable(GANDataset):
    """Items of another data set, checked to be what a pack holds.

    Labels that only its items have are read from all of them first; classes without names are called
    by their numbers.

    Args:
        dataset: any :class:`~mmcgan.datasets.base.GANDataset`.

    Raises:
        ValueError: items have no image, or a field that a pack does not hold; labels that fit no classes.
    """

    def __init__(self, dataset: GANDataset) -> None:
        self.dataset, self.name = dataset, type(dataset).__name__
        self.reader, self.pipeline, self.source = dataset.reader, dataset.pipeline, dataset.source
        info = dataset.metainfo
        first = self._first_item()
        self.image_size = info["image_size"] if "image_size" in info else self._size_of(first)
        self.labels = self._labels("label" in first)
        self.classes = dataset.classes
        if self.labels is not None:
            known = dict(info, classes=dataset.classes or info.get("classes"))
            self.classes = named_classes(known, self.labels.tolist(), self.name)
            check_labels(self.labels, len(dataset), len(self.classes), self.name)

    def _first_item(self) -> dict[str, Any]:
        """Return the first item that can be read; nothing where none can."""
        for index in range(len(self.dataset)):
            try:
                item = dict(self.dataset[index])
            except BadImageError:
                continue
            self._check_fields(item)
            return item
        return {}

    def _check_fields(self, item: dict[str, Any]) -> None:
        if "image" not in item:
            raise ValueError(f"{self.name}: its items have no image ({', '.join(item)}): nothing to pack")
        others = [name for name in item if name not in HELD]
        if others:
            raise ValueError(
                f"{self.name}: its items have {', '.join(others)}, which would be lost: a pack holds image "
                "and label alone. Train on this data set as it is, or pack one of images and labels"
            )

    def _size_of(self, item: dict[str, Any]) -> int:
        if not item:
            raise ValueError(f"{self.name}: no image of it can be read, and its metainfo has no image_size")
        return int(item["image"].shape[-1])

    def _labels(self, items_have_them: bool) -> Tensor | None:
        if self.dataset.labels is not None:
            return torch.as_tensor(self.dataset.labels)
        if not items_have_them:
            return None
        return torch.tensor([self._label(index) for index in range(len(self.dataset))])

    def _label(self, index: int) -> int:
        try:
            return int(self.dataset[index]["label"])
        except BadImageError:  # such an image is left out, or ends the packing
            return 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``image`` uint8 (3, S, S) and, when labelled, ``label``.

        Raises:
            ValueError: the image has another size or type.
            BadImageError: it cannot be read.
        """
        item = dict(self.dataset[index])
        image, wanted = item["image"], (3, self.image_size, self.image_size)
        if image.dtype != torch.uint8 or tuple(image.shape) != wanted:
            raise ValueError(
                f"{self.name}: image {index} is {image.dtype} {tuple(image.shape)}; packs hold uint8 {wanted}"
            )
        return item

    def fingerprint(self) -> str:
        """Return that of the data set."""
        return self.dataset.fingerprint()

    def part_digest(self, rows: Sequence[int]) -> str | None:
        """Return that of the data set."""
        return self.dataset.part_digest(rows)
