"""Which images are held out to test on, where a data set has no split for that."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.random import make_generator
from mmcgan.registry import DATASETS

HELD_OUT = 0.2


def has_splits(dataset: Mapping[str, Any]) -> bool:
    """Return whether the data set of a config has a split for training and others.

    One whose ``split`` is None by default, and not given, takes all images there are.
    """
    parameter = inspect.signature(DATASETS.require(dataset["type"])).parameters.get("split")
    return parameter is not None and dataset.get("split", parameter.default) is not None


def share_of(dataset: Mapping[str, Any], data: str, share: float | None) -> float:
    """Return the share of images to hold out: 0 of a data set with splits, otherwise 0.2 if none is given.

    Args:
        dataset: config.
        data: what the user named, for messages.
        share: what the user wants, or None.

    Raises:
        ValueError: a share of a data set that has a test split, or one out of range.
    """
    if has_splits(dataset):
        refuse_share(data, share)
        return 0.0
    share = HELD_OUT if share is None else share
    check_share(share)
    return share


def refuse_share(data: str, share: float | None) -> None:
    """Refuse a share where there are test images of their own."""
    if share is not None:
        raise ValueError(f"{data} has a test set: --held-out is for images without one")


def check_share(share: float) -> None:
    """Refuse a share that is none.

    Raises:
        ValueError: it does not lie between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"the share of images to hold out must lie between 0 and 1, got {share}")


def held_out_rows(groups: Tensor, share: float, seed: int) -> Tensor:
    """Return which images are held out, bool (N,): of every group with two images or more the share, rounded.

    At least one image of such a group is held out and one is not; an image alone is trained on.

    Args:
        groups: int64 (N,), the same for images that are alike: class, combination of attributes.
        share: between 0 and 1.
        seed: decides which.

    Raises:
        ValueError: ``share`` out of range, or no group has two images.
    """
    check_share(share)
    generator = make_generator(seed, "held out")
    tested = torch.zeros(len(groups), dtype=torch.bool)
    for group in groups.unique():
        rows = (groups == group).nonzero().flatten()
        if len(rows) < 2:
            continue
        count = min(max(1, round(share * len(rows))), len(rows) - 1)
        tested[rows[torch.randperm(len(rows), generator=generator)[:count]]] = True
    if not tested.any():
        raise ValueError(f"none of {len(groups)} images can be held out: each is of a kind of its own")
    return tested


class Part:
    """Some images of a data set, read when they are asked for.

    Args:
        dataset: all images.
        rows: which.
    """

    def __init__(self, dataset: Any, rows: Sequence[int]) -> None:
        self.dataset, self.rows, self.metainfo = dataset, list(rows), dataset.metainfo

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """Return the batch of some of the images."""
        return self.dataset.__getitems__([self.rows[index] for index in indices])
