"""Images with attributes: what such data sets have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.checkpoints.hashing import text_hash
from mmcgan.datasets.base import ImageDataset


class AttributeImages(ImageDataset):
    """Adds attributes to an :class:`ImageDataset`; put it first among the base classes.

    A subclass calls :meth:`set_attributes` after its constructor's ``super().__init__``.

    Attributes:
        groups: names of the attributes.
        attributes: uint8 (size, A), 0 or 1.
    """

    groups: AttributeGroups
    attributes: Tensor

    def set_attributes(self, groups: AttributeGroups, attributes: Tensor) -> None:
        """Keep the attributes of all images, (size, A).

        Raises:
            ValueError: another number of rows, or rows that do not fit the groups.
        """
        if len(attributes) != self.size:
            raise ValueError(f"{type(self).__name__}: {self.size} images but attributes of {len(attributes)}")
        groups.check(attributes, type(self).__name__)
        self.groups, self.attributes = groups, attributes.to(torch.uint8)

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the images, with ``attributes`` (group -> names) and ``num_attributes``."""
        own = dict(attributes=self.groups.to_config(), num_attributes=len(self.groups))
        return {**super().metainfo, **own}

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``image`` uint8 (3, H, W) and ``attributes`` float32 (A,)."""
        batch = self.__getitems__([index])
        return {name: value[0] for name, value in batch.items()}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``image`` uint8 (N, 3, H, W) and ``attributes`` float32 (N, A).

        Raises:
            IndexError: an index is outside the data set.
        """
        batch = super().__getitems__(indices)
        rows = torch.tensor([int(i) for i in indices], dtype=torch.int64)
        return {**batch, "attributes": self.attributes[rows].float()}

    def fingerprint(self) -> str:
        """Return a digest of the images and the attributes."""
        return text_hash(f"{super().fingerprint()} {self.groups}", self.attributes)


def kept_rows(
    groups: AttributeGroups, attributes: Tensor, leave_out: Sequence[Mapping[str, Any]], where: str
) -> Tensor:
    """Return the rows of (N, A) that show none of the combinations ``leave_out``, int64.

    Raises:
        ValueError: an unknown group or attribute, a combination that no image has, or nothing left.
    """
    kept = torch.ones(len(attributes), dtype=torch.bool)
    for choice in leave_out:
        if not choice:
            raise ValueError(f"{where}: leave_out has an empty combination, which every image shows")
        shown = groups.shows(attributes, choice)
        if not shown.any():
            raise ValueError(f"{where}: leave_out={dict(choice)}: no image shows it")
        kept &= ~shown
    if not kept.any():
        raise ValueError(f"{where}: leave_out leaves no image")
    return kept.nonzero().flatten()
