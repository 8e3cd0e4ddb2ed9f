"""Exact nearest neighbours by cosine: fast candidates, exact ranking, and a proof for every row.

Candidates come from bfloat16 matrix products, which matrix units compute several times faster than
float32. The error of such a product is bounded (Cauchy-Schwarz on the rounding residuals, the rounding of
the sum and of the result), so that a row whose k-th exact similarity is at least the largest approximate
one left out, plus the bound, is certified: no other image can be nearer. Rows that fail go through float32
against everything.

Similarities are float32 dot products summed in an order that does not depend on the row's place: equal
images have equal similarities. Ties go to the lower index. An image is never its own neighbour; a zero
vector has similarity 0 to everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

GROUP = 32  # columns that share one maximum
QUERY_ROWS = 2048
BLOCK_ROWS = 8 * QUERY_ROWS
SLACK = 5e-4  # how far below its k-th approximate similarity a row's own k-th may lie before it needs float32
MAX_CANDIDATES = 4096
PRUNE_AFTER = 128  # new candidates of a row, on average
WHOLE_CHUNK = 1 << 17
FLOAT32_ROWS = 64  # rows of the float32 pass at a time
FLOAT32_ROUNDING = 2.0**-24
# what the search keeps beside its blocks: candidate lists, temporary copies
WORKING_SHARE = 0.5


class Rows(Protocol):
    """A table of feature vectors that is read block by block."""

    shape: tuple[int, ...]

    def rows(self, index: Tensor | slice) -> Tensor:
        """Return rows as float32 (n, F)."""


class TensorRows:
    """A table in memory."""

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.shape = tuple(values.shape)

    def rows(self, index: Tensor | slice) -> Tensor:
        """Return rows as float32 (n, F)."""
        if isinstance(index, slice):
            return self.values[index]
        return torch.from_numpy(np.take(self.values.numpy(), index.numpy(), axis=0))


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of a range of images.

    Attributes:
        index: int32 (n, k), nearest first.
        similarity: float32 (n, k).
        uncertified: rows that needed the float32 pass.
    """

    index: Tensor
    similarity: Tensor
    uncertified: int

    @property
    def radius(self) -> Tensor:
        """Euclidean distance of unit vectors to the k-th neighbour, float32 (n,)."""
        return (2 - 2 * self.similarity[:, -1].double()).clamp_min(0).sqrt().float()


@dataclass
class _Candidates:
    """Pairs (row, column) of one query block found so far, and the best k group maxima of every row."""

    rows: list[np.ndarray]
    columns: list[np.ndarray]
    values: list[np.ndarray]
    best: np.ndarray
    fresh: int = 0


def bfloat16_is_fast() -> bool:
    """Return whether this CPU multiplies bfloat16 matrices in hardware."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class NeighbourSearch:
    """Exact k-NN of a table of unit vectors with itself.

    Args:
        table: the vectors, rows of length 1 or 0.
        k: neighbours wanted.
        memory: bytes that blocks and copies may take.
        precision: ``bfloat16``, ``float32`` or None for bfloat16 where the CPU has it.

    Raises:
        ValueError: fewer than k + 1 images, or k below 1.
    """

    def __init__(self, table: Rows, k: int, memory: int = 1 << 30, precision: str | None = None) -> None:
        self.table = table
        self.size, self.dim = int(table.shape[0]), int(table.shape[1])
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if self.size <= k:
            raise ValueError(f"k={k} neighbours need at least {k + 1} images, there are {self.size}")
        self.k = k
        precision = precision or ("bfloat16" if bfloat16_is_fast() else "float32")
        self.dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        width = 2 if self.dtype is torch.bfloat16 else 4
        whole = self.size * self.dim * width
        self.block_rows = self._block_rows(memory, width)
        self._copy: list[Tensor] | None = None
        self._residual = 0.0
        self._prepare(keep=whole < memory * WORKING_SHARE)

    def _block_rows(self, memory: int, width: int) -> int:
        """Return the rows of a database block: of the size of query blocks, or less where memory is short."""
        # the block, its float32 original and its similarities to one query block
        per_row = self.dim * (4 + width) + QUERY_ROWS * (width + 1)
        fitting = min(BLOCK_ROWS, int(memory * WORKING_SHARE / 2) // per_row)
        if fitting >= QUERY_ROWS:
            return fitting // QUERY_ROWS * QUERY_ROWS
        return max(GROUP * self.k, fitting) // GROUP * GROUP

    def _blocks(self) -> Iterator[slice]:
        for start in range(0, self.size, self.block_rows):
            yield slice(start, min(start + self.block_rows, self.size))

    def _prepare(self, keep: bool) -> None:
        """Measure the largest rounding residual of a row; keep the rounded table if it fits."""
        copies = []
        for block in self._blocks():
            exact = self.table.rows(block)
            rounded = exact.to(self.dtype)
            residual = (exact - rounded.float()).norm(dim=1).max()
            self._residual = max(self._residual, float(residual))
            if keep:
                copies.append(rounded)
        self._copy = copies if keep else None

    def chunk_rows(self, parts: int = 1) -> int:
        """Return how many images to ask for at once, a multiple of ``QUERY_ROWS``.

        With the rounded table in memory, products inside a chunk serve both images and are computed once;
        without, each chunk reads the whole table.

        Args:
            parts: there should be at least this many chunks, one for each rank.
        """
        wanted = WHOLE_CHUNK if self._copy is not None else 8 * QUERY_ROWS
        share = -(-self.size // parts)
        return max(1, min(wanted, share + QUERY_ROWS - 1) // QUERY_ROWS) * QUERY_ROWS

    def search(self, start: int, stop: int, advance: Callable[[int], None] | None = None) -> Neighbours:
        """Return the neighbours of images ``start``..``stop - 1`` among all images.

        Args:
            start, stop: the range.
            advance: called after every step with the number of similarities it settled.
        """
        blocks = [slice(i, min(i + QUERY_ROWS, stop)) for i in range(start, stop, QUERY_ROWS)]
        found = [self._empty(block.stop - block.start) for block in blocks]
        shared = self._shared_from(start, stop)
        for columns in self._column_blocks(shared if shared < stop else 0):
            database = self._rounded(columns)
            for number, block in enumerate(blocks):
                self._visit(blocks, found, number, database, columns, shared)
                if advance is not None:
                    advance((columns.stop - columns.start) * (block.stop - block.start))
        parts = [self._rank(block.start, found[i]) for i, block in enumerate(blocks)]
        return Neighbours(
            torch.cat([part.index for part in parts]),
            torch.cat([part.similarity for part in parts]),
            sum(part.uncertified for part in parts),
        )

    def _shared_from(self, start: int, stop: int) -> int:
        """Return the first image from which products inside the range are computed once; ``stop`` for none.

        The columns before it come first, so that every row knows a threshold.
        """
        warm = -(-max(2 * GROUP * self.k, QUERY_ROWS) // QUERY_ROWS) * QUERY_ROWS
        aligned = self._copy is not None and self.block_rows % QUERY_ROWS == 0 and start % QUERY_ROWS == 0
        return max(start, warm) if aligned and max(start, warm) < stop else stop

    def _column_blocks(self, first: int) -> Iterator[slice]:
        """Yield the database blocks; ``first`` is a border between two."""
        for low, high in ((0, first), (first, self.size)):
            for block in self._blocks():
                columns = slice(max(block.start, low), min(block.stop, high))
                if columns.start < columns.stop:
                    yield columns

    def _rounded(self, rows: slice) -> Tensor:
        """Return rows of the table in the type of the products."""
        number = rows.start // self.block_rows
        if self._copy is None or rows.stop > (number + 1) * self.block_rows:
            return self.table.rows(rows).to(self.dtype)
        return self._copy[number][rows.start - number * self.block_rows :][: rows.stop - rows.start]

    def _visit(
        self,
        blocks: list[slice],
        found: list[_Candidates],
        number: int,
        database: Tensor,
        columns: slice,
        shared: int,
    ) -> None:
        """Compare one query block with one database block, and inside the shared range the reverse too."""
        block = blocks[number]
        first = columns.start
        if shared <= first < blocks[-1].stop and block.start >= shared:
            first = max(first, min(block.start, blocks[-1].stop))
            if first >= columns.stop:
                return  # the earlier query blocks have left their products here
        similarity = torch.mm(self._rounded(block), database[first - columns.start :].T)
        self._hide_self(similarity, block.start, first)
        if block.start >= shared and columns.start >= shared:
            for other in range(number + 1, len(blocks)):
                low, high = blocks[other].start, blocks[other].stop
                if low >= first and high <= columns.stop:
                    self._collect(similarity[:, low - first : high - first].T, block.start, found[other])
        self._collect(similarity, first, found[number])

    def _empty(self, rows: int) -> _Candidates:
        best = np.full((rows, self.k), -np.inf, dtype=np.float32)
        return _Candidates([], [], [], best)

    # --- candidates ---------------------------------------------------------------------------

    def _bound(self, threshold: np.ndarray) -> np.ndarray:
        """Return how far an exact similarity may exceed an approximate one that is below ``threshold``."""
        residual = self._residual * (2 + self._residual) + 2 * self.dim * FLOAT32_ROUNDING
        if self.dtype is torch.float32:
            return np.full_like(threshold, residual)
        # half the distance of neighbouring bfloat16 numbers at the threshold, at most at 1
        size = np.clip(np.abs(threshold), 2.0**-10, 1)
        return residual + 2.0 ** (np.floor(np.log2(size)) - 8)

    def _collect(self, similarity: Tensor, first: int, candidates: _Candidates) -> None:
        """Add the columns of one block of similarities (n, m) that may be among the k nearest."""
        whole = similarity.shape[1] // GROUP * GROUP
        groups = similarity[:, :whole].unflatten(1, (GROUP, -1)) if whole else None
        maxima = self._maxima(similarity, groups)
        best = np.concatenate([candidates.best, maxima], axis=1)
        best = np.partition(best, best.shape[1] - self.k, axis=1)[:, -self.k :]
        candidates.best = best
        threshold = self._threshold(best.min(axis=1))
        row, group = np.nonzero(maxima >= threshold[:, None])
        self._append(candidates, similarity, groups, (row, group), threshold, first)

    def _threshold(self, kth: np.ndarray) -> np.ndarray:
        """Return what a candidate's approximate similarity must reach, given a lower bound of the k-th."""
        finite = np.where(np.isfinite(kth), kth, -1)
        bound = self._bound(finite)
        threshold = kth - 2 * bound if self.dtype is torch.float32 else kth - SLACK - 1.5 * bound
        return np.where(np.isfinite(kth), threshold, -2)

    def _hide_self(self, similarity: Tensor, start: int, first: int) -> None:
        low, high = max(start, first), min(start + similarity.shape[0], first + similarity.shape[1])
        if low < high:
            own = torch.arange(low, high)
            similarity[own - start, own - first] = -torch.inf

    @staticmethod
    def _maxima(similarity: Tensor, groups: Tensor | None) -> np.ndarray:
        """Return the maximum of every group, float32 (n, G); columns of the rest are groups of one."""
        if groups is None:
            return similarity.float().numpy()
        rest = similarity[:, groups.shape[1] * groups.shape[2] :]
        return torch.cat([groups.amax(dim=1), rest], dim=1).float().numpy()

    def _append(
        self,
        candidates: _Candidates,
        similarity: Tensor,
        groups: Tensor | None,
        pairs: tuple[np.ndarray, np.ndarray],
        threshold: np.ndarray,
        first: int,
    ) -> None:
        row, group = pairs
        count = 0 if groups is None else groups.shape[2]
        whole = count * GROUP
        inside = group < count
        columns = [group[~inside] - count + whole]
        rows = [row[~inside]]
        values = [similarity[rows[0], columns[0]].float().numpy()]
        if groups is not None:
            row, group = row[inside], group[inside]
            member = groups[torch.from_numpy(row), :, torch.from_numpy(group)].float().numpy()
            pair, inner = np.nonzero(member >= threshold[row][:, None])
            rows.append(row[pair])
            columns.append(inner * count + group[pair])
            values.append(member[pair, inner])
        candidates.rows.append(np.concatenate(rows).astype(np.int32))
        candidates.columns.append((np.concatenate(columns) + first).astype(np.int32))
        candidates.values.append(np.concatenate(values))
        candidates.fresh += len(candidates.rows[-1])
        if candidates.fresh > PRUNE_AFTER * len(candidates.best):
            self._prune(candidates)

    def _prune(self, candidates: _Candidates) -> None:
        """Drop pairs that the thresholds have left behind."""
        row, value = np.concatenate(candidates.rows), np.concatenate(candidates.values)
        kept = value >= self._threshold(candidates.best.min(axis=1))[row]
        candidates.rows, candidates.values = [row[kept]], [value[kept]]
        candidates.columns = [np.concatenate(candidates.columns)[kept]]
        candidates.fresh = 0

    # --- exact ranking ------------------------------------------------------------------------

    def _rank(self, start: int, candidates: _Candidates) -> Neighbours:
        """Return the neighbours of one query block from its candidates."""
        self._prune(candidates)
        kth = candidates.best.min(axis=1)
        threshold = self._threshold(kth)
        row, column = candidates.rows[0], candidates.columns[0]
        query = self.table.rows(slice(start, start + len(kth)))
        count = np.bincount(row, minlength=len(query))
        crowded = count > MAX_CANDIDATES
        keep = ~crowded[row]
        index, similarity = self._nearest(query, row[keep], column[keep])
        # what was left out is below the threshold, exactly at most bound above it
        largest = np.where(np.isfinite(kth), np.maximum(np.abs(kth), np.abs(threshold)), 1)
        proven = similarity[:, -1] >= threshold + self._bound(largest)
        failed = np.flatnonzero(~proven | crowded)
        if len(failed):
            index[failed], similarity[failed] = self._exact_rows(
                start + failed, query[torch.from_numpy(failed)]
            )
        return Neighbours(torch.from_numpy(index), torch.from_numpy(similarity), len(failed))

    def _nearest(self, query: Tensor, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the k best of the candidates of every row, (n, k) int32 and float32; -inf where too few."""
        order = np.lexsort((column, row))
        row, column = row[order], column[order]
        starts = np.searchsorted(row, np.arange(len(query) + 1))
        exact = self._similarities(query.numpy(), column, starts)
        order = np.lexsort((column, -exact, row))
        index = np.zeros((len(query), self.k), dtype=np.int32)
        similarity = np.full((len(query), self.k), -np.inf, dtype=np.float32)
        rank = np.arange(len(row)) - starts[row]
        first = rank < self.k
        index[row[first], rank[first]] = column[order][first]
        similarity[row[first], rank[first]] = exact[order][first]
        return index, similarity

    def _similarities(self, query: np.ndarray, column: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return the exact similarity of every candidate, float32, with one thread per share of the rows."""
        exact = np.empty(len(column), dtype=np.float32)
        columns = torch.from_numpy(column.astype(np.int64))

        def rank(rows: range) -> None:
            for i in rows:
                for low in range(starts[i], starts[i + 1], MAX_CANDIDATES):
                    part = slice(low, min(low + MAX_CANDIDATES, starts[i + 1]))
                    exact[part] = dot(self.table.rows(columns[part]).numpy(), query[i])

        threads = torch.get_num_threads()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(rank, [range(t, len(query), threads) for t in range(threads)]))
        return exact

    def _exact_rows(self, own: np.ndarray, query: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbours of a few images from float32 products with all others."""
        found = []
        for part in np.array_split(np.arange(len(own)), -(-len(own) // FLOAT32_ROWS)):
            rows = query[torch.from_numpy(part)]
            approximate = torch.cat([rows @ self.table.rows(block).T for block in self._blocks()], 1).numpy()
            approximate[np.arange(len(part)), own[part]] = -np.inf
            kth = np.partition(approximate, self.size - self.k, axis=1)[:, self.size - self.k]
            threshold = kth - 4 * self.dim * FLOAT32_ROUNDING
            found.append(self._nearest(rows, *np.nonzero(approximate >= threshold[:, None])))
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def dot(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Return the products of ``rows`` (n, F) with ``query`` (F,), float32 (n,).

    Each row is summed by itself, in an order that depends on F alone: equal rows, equal products.
    """
    return np.einsum("nf,f->n", rows, query)
