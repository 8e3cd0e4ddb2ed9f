"""Rows that a table holds many times: found exactly, so that a search looks at a few of each.

Bounds say nothing about which of many equal rows is nearer, so that a search would measure every pair of
them: of 10,000 equal images a hundred million. None of them needs measuring: equal rows have equal distances,
and among more equal rows than are wanted only the first ones can be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from mmcgan.neighbours.selection import blocks

SAMPLED = 64  # columns that the first look takes
BLOCK_ELEMENTS = 1 << 22
#: numbers of the width of an element, whose bits are compared
BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}

#: Returns some rows of a table.
Read = Callable[[slice | Tensor], Tensor]


def row_keys(rows: Tensor, sampled: bool = True) -> Tensor:
    """Return a number of every row, int64 (n,), equal for equal rows; different ones rarely share it.

    Integers are added, so that the order of the sum does not matter.

    Args:
        rows: (n, F).
        sampled: look at no more than ``SAMPLED`` columns.
    """
    step = max(1, rows.shape[1] // SAMPLED) if sampled else 1
    # adding 0 turns -0, which equals it, into 0
    bits = (rows[:, ::step] + 0).contiguous().view(BITS[rows.element_size()]).long()
    place = torch.arange(1, bits.shape[1] + 1, device=rows.device)
    # odd factors without a pattern: the golden ratio's bits, times odd numbers, modulo 2**64
    factor = (2 * place + 1) * -7046029254386353131
    return (bits * factor).bitwise_xor_(bits >> 7).mul_(factor).sum(dim=1)


def first_equal(read: Read, keys: Iterable[Tensor], width: int, most: int) -> Tensor | None:
    """Return the first row that equals each row, itself if none does, int64 (N,).

    Args:
        read: returns rows of the table.
        keys: :func:`row_keys` of all rows, in parts.
        width: of the table.
        most: rows that occur no more often need not be found.

    Returns:
        None if no row occurs more than ``most`` times.
    """
    key = torch.cat(list(keys))
    suspects = _shared(key, most)
    if not len(suspects):
        return None
    size = max(1, BLOCK_ELEMENTS // max(1, width))
    whole = torch.cat([row_keys(read(part), sampled=False) for part in suspects.split(size)])
    _, group = whole.unique(return_inverse=True)
    first = suspects.new_full((int(group.max()) + 1,), len(key)).scatter_reduce_(0, group, suspects, "amin")
    leader = first[group]
    same = torch.cat(
        [
            (read(own) == read(other)).all(dim=1)
            for own, other in zip(suspects.split(size), leader.split(size), strict=True)
        ]
    )
    found = torch.arange(len(key), device=key.device)
    found[suspects] = torch.where(same, leader, suspects)
    return found if int(torch.bincount(found).max()) > most else None


def _shared(key: Tensor, most: int) -> Tensor:
    """Return the places of keys that more than ``most`` places have."""
    _, inverse, count = key.unique(return_inverse=True, return_counts=True)
    return (count[inverse] > most).nonzero().flatten()


def repeated_rows(features: Tensor, most: int) -> Tensor | None:
    """Return what :func:`first_equal` returns, of vectors (N, F) in memory."""
    size = max(1, BLOCK_ELEMENTS // max(1, features.shape[1]))
    keys = (row_keys(features[part]) for part in blocks(len(features), size))
    return first_equal(features.__getitem__, keys, features.shape[1], most)


def rank_among_equal(leader: Tensor) -> Tensor:
    """Return how many equal rows stand before each row, int64 (N,), from :func:`first_equal`'s answer."""
    order = leader.argsort(stable=True)
    count = torch.bincount(leader, minlength=len(leader))
    before = (count.cumsum(0) - count)[leader[order]]
    rank = torch.empty_like(leader)
    rank[order] = torch.arange(len(leader), device=leader.device) - before
    return rank


def weighted_rows(features: Tensor, radius: Tensor, most: int) -> tuple[Tensor, Tensor] | None:
    """Return one row of each kind that is equal in features and radius, and the kind of every row.

    Args:
        features: (N, F).
        radius: float64 (N,).
        most: rows that occur no more often need not be found.

    Returns:
        int64 (D,), the row that stands for each kind, and int64 (N,), kinds; None if nothing is repeated.
    """
    leader = repeated_rows(features, most)
    if leader is None:
        return None
    _, same_radius = radius.unique(return_inverse=True)
    _, kind = (leader * len(radius) + same_radius).unique(return_inverse=True)
    places = torch.arange(len(leader), device=leader.device)
    first = places.new_full((int(kind.max()) + 1,), len(leader)).scatter_reduce_(0, kind, places, "amin")
    return first, kind
