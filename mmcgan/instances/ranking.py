"""Exact products of chosen pairs of rows, and the k best of each row."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

# elements of the rows that are held in float64 at once: as many as a cache holds
SPAN_ELEMENTS = 1 << 21
FEW_PAIRS = 0.5  # for each row of a span, below which rows are read one by one


class Rows(Protocol):
    """A table of feature vectors that is read block by block."""

    shape: tuple[int, ...]

    def rows(self, index: Tensor | slice) -> Tensor:
        """Return rows as float32 (n, F)."""


class TensorRows:
    """A table in memory, float32 (N, F)."""

    def __init__(self, values: Tensor) -> None:
        self.values = values.contiguous()
        self.shape = tuple(values.shape)

    def rows(self, index: Tensor | slice) -> Tensor:
        """Return rows as float32 (n, F)."""
        if isinstance(index, slice):
            return self.values[index]
        return torch.from_numpy(np.take(self.values.numpy(), index.numpy(), axis=0))


@dataclass(frozen=True)
class Candidates:
    """Pairs of a range of rows that may be among the nearest, and what is known of all others.

    Similarities are those of the rows after a common scaling that makes the longest 1 or shorter.

    Attributes:
        row, column: int64 (P,), ascending by row, then by column; rows are counted from the first of the
            range. No pair twice, no row with itself.
        value: approximate similarity, float32 (P,).
        left_out: float64 (n,): the exact similarity to every column left out is smaller than this.
        bound: tells how far an approximate similarity may lie below an exact one of the given size.
    """

    row: np.ndarray
    column: np.ndarray
    value: np.ndarray
    left_out: np.ndarray
    bound: Callable[[np.ndarray], np.ndarray]

    @classmethod
    def join(cls, parts: Sequence[Candidates]) -> Candidates:
        """Return the candidates of consecutive ranges as those of one."""
        firsts = np.cumsum([0, *(len(part.left_out) for part in parts[:-1])])
        row = [part.row + first for part, first in zip(parts, firsts, strict=True)]
        return cls(
            np.concatenate(row),
            np.concatenate([part.column for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.left_out for part in parts]),
            parts[0].bound,
        )


def true_places(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of what is true in ``mask`` (n, m), sooner than ``np.nonzero``."""
    row, column = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return row, column


def pair_products(table: Rows, query: Tensor, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return the products of rows ``row`` of ``query`` with rows ``column`` of ``table``, in float64.

    Products of float32 numbers are exact in float64, and each sum runs in an order that depends on F alone:
    equal rows, equal products. The table is read once, in spans that stay in the processor's cache.

    Args:
        table: (N, F).
        query: float32 (n, F), or the same in float64, which is what is needed.
        row, column: int (P,).

    Returns:
        float64 (P,).
    """
    span = max(1, SPAN_ELEMENTS // max(1, int(table.shape[1])))
    number = column // span
    order = np.argsort(number * np.int64(len(query)) + row, kind="stable")
    row, column, number = row[order], column[order], number[order]
    found, wide = np.empty(len(row)), query.double()
    borders = np.flatnonzero(np.diff(number, prepend=-1, append=-1))  # before, between and after spans
    for first, last in pairwise(borders):
        low = int(number[first]) * span
        own, other = row[first:last], column[first:last] - low
        whole = slice(low, min(low + span, int(table.shape[0])))
        if last - first < FEW_PAIRS * (whole.stop - low):  # only those rows that are needed
            named, other = np.unique(other, return_inverse=True)
            block = table.rows(torch.from_numpy(named + low))
        else:
            block = table.rows(whole)
        found[first:last] = _span_products(block.double(), wide, own, other)
    result = np.empty_like(found)
    result[order] = found
    return result


def mutual_products(
    table: Rows, query: Tensor, row: np.ndarray, column: np.ndarray, start: int
) -> np.ndarray:
    """Return :func:`pair_products` of rows of the table itself, each pair of images computed once.

    The terms of x·y and of y·x are the same numbers in the same order. Two of three neighbours or so have
    each other among theirs.

    Args:
        table: (N, F).
        query: rows ``start``... of the table, (n, F).
        row, column: int64 (P,), ascending by row, then by column.
        start: the table's row that ``query`` begins with.
    """
    size = np.int64(table.shape[0])
    mirrored = (column >= start) & (column - start < row)
    key, wanted = row * size + column, (column[mirrored] - start) * size + row[mirrored] + start
    place = np.searchsorted(key, wanted)
    known = key[place] == wanted  # what is wanted lies before, so that no place is past the end
    copied = np.flatnonzero(mirrored)[known]
    own = np.ones(len(row), dtype=bool)
    own[copied] = False
    found = np.empty(len(row))
    found[own] = pair_products(table, query, row[own], column[own])
    found[copied] = found[place[known]]
    return found


def _span_products(block: Tensor, query: Tensor, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return the products of pairs sorted by row of float64 rows (n, F) with those of a block (m, F)."""
    starts = np.concatenate([[0], np.bincount(row, minlength=len(query)).cumsum()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # sparse matrices announce that they are new
        pairs = torch.sparse_csr_tensor(
            torch.from_numpy(starts),
            torch.from_numpy(column.astype(np.int64)),
            torch.zeros(len(column), dtype=torch.float64),
            (len(query), len(block)),
            check_invariants=False,
        )
        return torch.sparse.sampled_addmm(pairs, query, block.T, beta=0.0).values().numpy()


def _spread(row: np.ndarray, values: np.ndarray, rows: int, width: int, fill: float) -> np.ndarray:
    """Return values of pairs that are ascending by row as an array (rows, width or what is needed)."""
    count = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - (count.cumsum() - count)[row]
    spread = np.full((rows, max(width, int(count.max(initial=0)))), fill, dtype=values.dtype)
    spread[row, place] = values
    return spread


def best_of_rows(
    row: np.ndarray, column: np.ndarray, value: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and values of the ``shape[1]`` largest values of each of ``shape[0]`` rows.

    Args:
        row, column: int64 (P,), ascending by row, then by column.
        value: float64 (P,).
        shape: rows and how many of each.

    Returns:
        Columns, int32, and values, float64, descending; of equal values the lower column comes first. Rows
        with fewer have column 0 and -infinity.
    """
    values = _spread(row, value, *shape, -np.inf)
    order = np.argsort(-values, axis=1, kind="stable")[:, : shape[1]]
    columns = np.take_along_axis(_spread(row, column, *shape, 0), order, axis=1)
    return columns.astype(np.int32), np.take_along_axis(values, order, axis=1)


def kth_of_rows(row: np.ndarray, value: np.ndarray, rows: int, k: int) -> np.ndarray:
    """Return the k-th largest value of each of ``rows`` rows, -infinity where there are fewer."""
    spread = _spread(row, value, rows, k, -np.inf)
    return np.partition(spread, spread.shape[1] - k, axis=1)[:, spread.shape[1] - k]


def rank(
    table: Rows, query: Tensor, found: Candidates, k: int, scale: float, start: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the k best candidates of every row by exact similarity; ties go to the lower column.

    The approximately best are computed first. Their k-th exact similarity tells which of the others may still
    be better: only those are computed too.

    Args:
        table: vectors (N, F).
        query: float32 (n, F).
        found: the candidates.
        k: how many to return.
        scale: of the candidates' similarities, that is the square of the rows' scale.
        start: the table's row that ``query`` begins with.

    Returns:
        Columns, int32 (n, k), exact similarities, float64 (n, k), not scaled, and the rows of which a column
        left out may be among the k nearest.
    """
    rows, wide = len(query), query.double()
    exact = np.full(len(found.row), -np.inf)
    first = found.value >= kth_of_rows(found.row, found.value, rows, k)[found.row]
    exact[first] = mutual_products(table, wide, found.row[first], found.column[first], start)
    kth = kth_of_rows(found.row[first], exact[first], rows, k) * scale
    least = np.where(np.isfinite(kth), kth - found.bound(np.where(np.isfinite(kth), kth, 1)), -np.inf)
    rest = ~first & (found.value >= least[found.row])
    exact[rest] = mutual_products(table, wide, found.row[rest], found.column[rest], start)
    known = first | rest
    columns, values = best_of_rows(found.row[known], found.column[known], exact[known], (rows, k))
    settled = values[:, -1] * scale >= found.left_out
    return columns, values, np.flatnonzero(~settled)
