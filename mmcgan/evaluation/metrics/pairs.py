"""Pairs of generated images that were asked for with one and the same condition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcgan.structures import Condition

KEY_BYTES = 8


def condition_keys(condition: Condition, count: int) -> Tensor:
    """Return a number per image, int64 (N,), equal where every field of the condition is equal.

    A condition of labels alone has these as its numbers, so that their order decides the pairs. Any other
    has 64 bits of a hash of its fields' bytes: a label map is not kept for the sake of a comparison. Without
    any field all images have the same number.

    Args:
        condition: of ``count`` images.
        count: N.
    """
    fields = {name: value.cpu() for name, value in condition.present().items()}
    if not fields:
        return torch.zeros(count, dtype=torch.int64)
    if set(fields) == {"label"}:
        return fields["label"].long()
    hashes = [hashlib.blake2b(digest_size=KEY_BYTES) for _ in range(count)]
    for name, value in sorted(fields.items()):
        head = f"{name} {value.dtype} {tuple(value.shape[1:])}".encode()
        for own, row in zip(hashes, _bytes_of(value), strict=True):
            own.update(head)
            own.update(row.numpy().tobytes())
    return torch.tensor([int.from_bytes(own.digest(), "big", signed=True) for own in hashes])


def _bytes_of(value: Tensor) -> Tensor:
    """Return the bytes of each row, uint8 (N, B); minus zero has those of zero, to which it is equal."""
    if value.is_floating_point():
        value = torch.where(value == 0, torch.zeros_like(value), value)
    rows = value.flatten(1) if value.dim() > 1 else value[:, None]
    return rows.contiguous().view(torch.uint8)


def pairs_of_one_condition(
    label: Tensor | None,
    count: int,
    pairs: int,
    generator: torch.Generator,
    fields: Sequence[str] = ("label",),
) -> tuple[Tensor, Tensor]:
    """Return rows of pairs of different images that were asked for with the same condition.

    Args:
        label: int64 (N,), a number per image that is equal where the condition is; None where all images
            share one.
        count: N.
        pairs: how many; pairs may repeat.
        generator: decides the pairs.
        fields: what the condition consists of, for the message.

    Raises:
        ValueError: no condition occurs twice.
    """
    label = torch.zeros(count, dtype=torch.int64) if label is None else label
    label = label.unique(return_inverse=True)[1]  # in their order, without gaps
    order = label.argsort(stable=True)
    counts = torch.bincount(label)
    starts = counts.cumsum(0) - counts
    usable = (counts[label[order]] > 1).nonzero().flatten()
    if not len(usable):
        alone = set(fields) == {"label"}
        what, unit = ("label", "class") if alone else (f"condition ({', '.join(fields)})", "condition")
        raise ValueError(f"no two of {count} images share a {what}: generate more images per {unit}")
    first = usable[torch.randint(len(usable), (pairs,), generator=generator)]
    group = label[order[first]]
    # A step of 1..n-1 around the group never meets the image itself.
    step = 1 + (torch.rand(pairs, generator=generator) * (counts[group] - 1)).long()
    second = starts[group] + (first - starts[group] + step) % counts[group]
    return order[first], order[second]


def conditions_without_pair(keys: Tensor) -> tuple[int, int]:
    """Return how many conditions have one image only, and how many there are."""
    counts = keys.unique(return_counts=True)[1]
    return int((counts == 1).sum()), len(counts)
