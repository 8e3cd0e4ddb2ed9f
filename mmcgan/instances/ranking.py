"""Exact similarities of chosen pairs of rows, and the k best of each row."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Rows(Protocol):
    """A table of feature vectors that is read block by block."""

    shape: tuple[int, ...]

    def rows(self, index: Tensor | slice) -> Tensor:
        """Return rows as float32 (n, F)."""

    def products(self, query: Tensor, column: Tensor, starts: Tensor) -> Tensor:
        """Return the products of chosen pairs, see :func:`pair_products`."""


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

    def products(self, query: Tensor, column: Tensor, starts: Tensor) -> Tensor:
        """Return the products of chosen pairs."""
        return pair_products(self.values, query, column, starts)


def pair_products(table: Tensor, query: Tensor, column: Tensor, starts: Tensor) -> Tensor:
    """Return the products of each ``query`` i with rows ``column[starts[i]:starts[i + 1]]`` of ``table``.

    Rows are read in place, none is copied. Each product is summed by itself, in an order that depends on F
    alone: equal rows, equal products.

    Args:
        table: float32 (N, F), contiguous.
        query: float32 (n, F).
        column: int64 (P,), ascending for each query.
        starts: int64 (n + 1,).

    Returns:
        float32 (P,).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # sparse matrices announce that they are new
        pairs = torch.sparse_csr_tensor(
            starts, column, torch.zeros(len(column)), (len(query), len(table)), check_invariants=False
        )
        return torch.sparse.sampled_addmm(pairs, query, table.T, beta=0.0).values()


@dataclass(frozen=True)
class Pairs:
    """Candidates of n rows, sorted by row and column.

    Attributes:
        row, column: int64 (P,).
        value: approximate similarity, float32 (P,).
        place: number of the pair within its row, int64 (P,).
        rows: n.
    """

    row: np.ndarray
    column: np.ndarray
    value: np.ndarray
    place: np.ndarray
    rows: int

    @classmethod
    def sort(cls, row: np.ndarray, column: np.ndarray, value: np.ndarray, rows: int) -> Pairs:
        """Return the pairs sorted."""
        order = np.argsort(row.astype(np.int64) << 32 | column)
        row = row[order].astype(np.int64)
        place = np.arange(len(row)) - _starts(row, rows)[row]
        return cls(row, column[order].astype(np.int64), value[order], place, rows)

    def part(self, start: int, stop: int) -> Pairs:
        """Return the pairs of rows ``start``..``stop - 1``, which become rows 0.. of the result."""
        low, high = np.searchsorted(self.row, (start, stop))
        cut = slice(low, high)
        return Pairs(self.row[cut] - start, self.column[cut], self.value[cut], self.place[cut], stop - start)

    def spread(self, values: np.ndarray, width: int, fill: float = -np.inf) -> np.ndarray:
        """Return a value of each pair as an array (n, width)."""
        spread = np.full((self.rows, width), fill, dtype=values.dtype)
        spread[self.row, self.place] = values
        return spread


def _starts(row: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([[0], np.bincount(row, minlength=rows).cumsum()])


def true_places(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of what is true in ``mask`` (n, m), sooner than ``np.nonzero``."""
    row, column = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return row, column


def kth_largest(values: np.ndarray, k: int) -> np.ndarray:
    """Return the k-th largest value of every row of ``values`` (n, m)."""
    return np.partition(values, values.shape[1] - k, axis=1)[:, values.shape[1] - k]


def rank_pairs(
    table: Rows, query: Tensor, pairs: Pairs, k: int, bound: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k best candidates of every row by exact similarity; ties go to the lower column.

    The approximately best are computed first. Their k-th exact similarity tells which of the others may still
    be better, the bound considered: only those are computed too.

    Args:
        table: vectors (N, F).
        query: float32 (n, F).
        pairs: the candidates.
        k: how many to return.
        bound: how far an exact similarity may exceed an approximate one below the given value.

    Returns:
        Columns, int32 (n, k), and similarities, float32 (n, k), -inf where there are fewer candidates.
    """
    width = max(k, int(pairs.place.max(initial=0)) + 1)
    exact = np.full((pairs.rows, width), -np.inf, dtype=np.float32)

    def compute(chosen: np.ndarray) -> None:
        row, column = pairs.row[chosen], torch.from_numpy(pairs.column[chosen])
        if len(row):
            starts = torch.from_numpy(_starts(row, pairs.rows))
            exact[row, pairs.place[chosen]] = table.products(query, column, starts).numpy()

    first = pairs.value >= kth_largest(pairs.spread(pairs.value, width), k)[pairs.row]
    compute(first)
    kth = kth_largest(exact, k)
    least = np.where(np.isfinite(kth), kth - bound(np.where(np.isfinite(kth), kth, -1)), -np.inf)
    compute(~first & (pairs.value >= least[pairs.row]))
    similarity, order = torch.from_numpy(exact).sort(dim=1, descending=True, stable=True)
    columns = torch.from_numpy(pairs.spread(pairs.column, width, fill=0)).gather(1, order[:, :k])
    return columns.to(torch.int32).numpy(), similarity[:, :k].numpy()
