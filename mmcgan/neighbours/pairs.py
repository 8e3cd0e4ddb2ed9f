"""Distances of chosen pairs of vectors in float64, from differences: what all bounds are judged by.

Each distance is summed in an order that depends on the dimension alone, so that equal pairs have equal
distances wherever they stand and whichever comes first.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.neighbours.selection import sparse_pairs

PAIR_ELEMENTS = 1 << 17  # elements of the differences that are taken at once
DIRECT = "donot_use_mm_for_euclid_dist"
DENSE_SHARE = 0.4  # of a block from which on all of it is measured: no rows need to be gathered then
# float64 distances outside of these may have lost digits in a square
SMALL, LARGE = 2.0**-450, 2.0**450


def pair_distances(first: Tensor, second: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return |first[rows] - second[columns]|, float64 (P,).

    Right to a few roundings of float64 for whatever size of numbers: neither squares of small differences
    vanish nor those of large ones overflow.

    Args:
        first: (N, F).
        second: (M, F).
        rows, columns: int64 (P,).
    """
    size = max(1, PAIR_ELEMENTS // max(1, first.shape[1]))
    parts = [
        _lengths(first.index_select(0, r).double(), second.index_select(0, c).double(), first.dtype)
        for r, c in zip(rows.split(size), columns.split(size), strict=True)
    ]
    return torch.cat(parts) if parts else first.new_zeros(0, dtype=torch.float64)


def _lengths(left: Tensor, right: Tensor, origin: torch.dtype) -> Tensor:
    """Return |left - right| of rows (n, F) that were of type ``origin``."""
    found = torch.cdist(left[:, None], right[:, None], compute_mode=DIRECT).flatten()
    return _repair(found, left, right, origin)


def _repair(found: Tensor, left: Tensor, right: Tensor, origin: torch.dtype) -> Tensor:
    """Measure again, scaled, where float64 features left the range of squares; narrower types cannot."""
    if origin is torch.float64:
        lost = (~((found > SMALL) & (found < LARGE))).nonzero().flatten()
        if len(lost):
            found[lost] = _scaled_lengths(left[lost], right[lost])
    return found


def _scaled_lengths(left: Tensor, right: Tensor) -> Tensor:
    """Return |left - right| of rows (n, F), through differences brought near 1 by powers of two."""
    largest = torch.maximum(left.abs().amax(dim=1), right.abs().amax(dim=1))
    down = torch.ones_like(largest).masked_fill_(largest > 2.0**500, 2.0**-510)[:, None]
    gap = left * down - right * down
    exponent = torch.frexp(gap.abs().amax(dim=1)).exponent
    half = exponent.div(2, rounding_mode="floor")
    halves = [torch.exp2(part.double())[:, None] for part in (half, exponent - half)]
    gap = gap / halves[0] / halves[1]
    length = torch.linalg.vector_norm(gap, dim=1)
    return length * halves[0].squeeze(1) * halves[1].squeeze(1) / down.squeeze(1)


def measure(
    first: Tensor, second: Tensor, rows: Tensor, columns: Tensor, near: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return row, column and distance of the true elements of a block, row by row.

    Args:
        first: (N, F).
        second: (M, F).
        rows, columns: int64 (n,), (m,): the vectors that the block compares.
        near: bool (n, m).

    Returns:
        Numbers within the block, int64 (P,) each, and distances, float64 (P,).
    """
    row, column = sparse_pairs(near)
    if not len(row):
        return row, column, first.new_zeros(0, dtype=torch.float64)
    some = [near.any(dim=1).nonzero().flatten(), near.any(dim=0).nonzero().flatten()]
    if len(row) < DENSE_SHARE * len(some[0]) * len(some[1]) or first.dtype is torch.float64:
        return row, column, pair_distances(first, second, rows[row], columns[column])
    sides = [
        side[index[part]].double()
        for side, index, part in zip((first, second), (rows, columns), some, strict=True)
    ]
    block = torch.cdist(sides[0], sides[1], compute_mode=DIRECT)
    places = [torch.searchsorted(part, index) for part, index in zip(some, (row, column), strict=True)]
    return row, column, block[places[0], places[1]]
