"""Some classes of a labelled data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.checkpoints.hashing import text_hash
from mmcgan.datasets.base import ImageDataset
from mmcgan.datasets.given import Given
from mmcgan.registry import DATASETS


@DATASETS.register_module()
class ClassSubset(ImageDataset):
    """The images of some classes, renumbered from 0 in the order given.

    To leave classes out of training and ask for them afterwards (transfer), or to look at a few.

    Args:
        dataset: config of the whole set.
        keep: class numbers.

    Raises:
        ValueError: an unlabelled set, or numbers that repeat, are out of range or are none.
    """

    disk_arguments = ()

    def __init__(self, dataset: dict[str, Any], keep: Sequence[int]) -> None:
        self.whole = DATASETS.build(dict(dataset))
        labels = self.whole.labels
        if labels is None or self.whole.classes is None:
            raise ValueError(f"ClassSubset: {dataset.get('type')} has no labels")
        self.keep = _checked(keep, len(self.whole.classes))
        number = torch.full((len(self.whole.classes),), -1, dtype=torch.int64)
        number[torch.tensor(self.keep)] = torch.arange(len(self.keep))
        self.rows = (number[labels] >= 0).nonzero().flatten()
        names = [self.whole.classes[label] for label in self.keep]
        super().__init__(self.whole.image_size, number[labels[self.rows]], names, len(self.rows))
        self.split = self.whole.split

    def _fetch(self, index: Tensor) -> Tensor:
        return self.whole.__getitems__(self.rows[index].tolist())["image"]

    def fingerprint(self) -> str:
        """Return a digest of the whole set and the choice."""
        return text_hash(f"{self.whole.fingerprint()} {self.keep}")

    def source_digest(self) -> str | None:
        """Return a digest of the files of the whole set and the choice, None if it is not of files."""
        source = self.whole.source_digest()
        return None if source is None else text_hash(f"{source} {self.keep}")

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the facts of the whole set with the classes that are kept."""
        kind = DATASETS.get(given.dataset["type"])
        known = dict(kind.facts(**{key: value for key, value in given.dataset.items() if key != "type"}))
        chosen = _checked(given.keep, known["num_classes"])
        known["num_classes"] = len(chosen)
        if known.get("class_counts") is not None:
            known["class_counts"] = tuple(known["class_counts"][label] for label in chosen)
        return known


def _checked(keep: Sequence[int], num_classes: int) -> list[int]:
    chosen = [int(label) for label in keep]
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(num_classes)):
        raise ValueError(
            f"ClassSubset: keep must be different class numbers in 0..{num_classes - 1}, got {list(keep)}"
        )
    return chosen
