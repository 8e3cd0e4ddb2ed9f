"""Candidates for nearest neighbours from bfloat16 products, for processors with matrix units.

Such units multiply bfloat16 several times as fast as float32. The error of a product is bounded: by
Cauchy-Schwarz on the rounding residuals of the rows, by the rounding of the sum
(:mod:`mmcgan.neighbours.products`) and of the result, which is monotonic. Products inside a range of rows
serve both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmcgan.instances.ranking import Candidates, Rows, true_places
from mmcgan.neighbours.products import UNIT_ROUNDOFF, gamma

GROUP = 32  # columns that share one maximum
QUERY_ROWS = 2048
BLOCK_ROWS = 8 * QUERY_ROWS
SLACK = 5e-4  # how far below its approximate k-th similarity a row's own may lie, not searched again
MAX_CANDIDATES = 4096  # a row with more is searched again
PRUNE_AFTER = (128, 512)  # new candidates of a row, on average: at least and at most, by memory
PAIR_BYTES = 12
GROUPS_AT_ONCE = 1 << 17
WHOLE_CHUNK = 1 << 17
LOST = 2.0**-120  # of a product of numbers that are too small for the units
# shares of the memory: the rounded table if it is kept, blocks, candidates; the rest is for temporary copies
COPY_SHARE, BLOCK_SHARE, CANDIDATE_SHARE = 0.5, 0.2, 0.2


@dataclass
class _Found:
    """Pairs (row, column) of one query block found so far, and the best k group maxima of every row.

    A row that had too many candidates has maxima of infinity, and no more candidates.
    """

    rows: list[np.ndarray]
    columns: list[np.ndarray]
    values: list[np.ndarray]
    best: np.ndarray
    fresh: int = 0

    def kth(self) -> np.ndarray:
        """Return a lower bound of the k-th approximate similarity of every row, float32 (n,)."""
        return self.best.min(axis=1)


class MatrixUnitSearch:
    """Candidates from products that are several times as fast as faiss's.

    Args:
        table: the vectors.
        k: neighbours wanted.
        memory: bytes that blocks and copies may take.
        scale: power of two that makes every row at most 1.001 long.
    """

    def __init__(self, table: Rows, k: int, memory: int, scale: float) -> None:
        self.table = table
        self.k = k
        self.memory = memory
        self.scale = scale
        self.size, self.dim = int(table.shape[0]), int(table.shape[1])
        self.block_rows = self._block_rows(int(memory * BLOCK_SHARE), 2)
        self._copy: list[Tensor] | None = None
        self._residual = 0.0
        self._budget = k * 4.0  # candidates of a row, on average
        self._prepare(keep=self.size * self.dim * 2 < memory * COPY_SHARE)

    def _block_rows(self, memory: int, width: int) -> int:
        """Return the rows of a database block: of the size of query blocks, or less where memory is short."""
        # the block, its float32 original and its similarities to one query block
        per_row = self.dim * (4 + width) + QUERY_ROWS * (width + 1)
        fitting = min(BLOCK_ROWS, memory // per_row)
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
            rounded = self._round(block)
            exact = self.table.rows(block) * self.scale
            residual = (exact - rounded.float()).norm(dim=1).max()
            self._residual = max(self._residual, 1.001 * float(residual) + 2.0**-100)
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
        # room for four candidates for every neighbour
        wanted = min(wanted, int(self.memory * CANDIDATE_SHARE) // (PAIR_BYTES * 4 * self.k))
        share = -(-self.size // parts) + QUERY_ROWS - 1
        return max(1, min(wanted, share) // QUERY_ROWS) * QUERY_ROWS

    def candidates(
        self, start: int, stop: int, advance: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Candidates]]:
        """Yield the first row and the candidates of consecutive parts of images ``start``..``stop - 1``.

        Args:
            start, stop: the range.
            advance: called after every step with the number of similarities it settled.
        """
        blocks = [slice(i, min(i + QUERY_ROWS, stop)) for i in range(start, stop, QUERY_ROWS)]
        found = [self._empty(block.stop - block.start) for block in blocks]
        room = self.memory * CANDIDATE_SHARE / (PAIR_BYTES * max(1, stop - start))
        self._budget = max(4.0 * self.k, room)
        shared = self._shared_from(start, stop)
        for columns in self._column_blocks(shared if shared < stop else 0):
            database = self._rounded(columns)
            for number, block in enumerate(blocks):
                self._visit(blocks, found, number, database, columns, shared)
                if advance is not None:
                    advance((columns.stop - columns.start) * (block.stop - block.start))
        for block, part in zip(blocks, found, strict=True):
            yield block.start, self._finish(part)

    def _finish(self, found: _Found) -> Candidates:
        """Return what was found, sorted by row, and what may have been left out."""
        self._prune(found)
        order = np.argsort(found.rows[0].astype(np.int64) << 32 | found.columns[0])
        kth = found.kth()
        # what was left out is below the threshold, exactly at most bound above it
        threshold = self._threshold(kth)
        largest = np.where(np.isfinite(kth), np.maximum(np.abs(kth), np.abs(threshold)), 1)
        left_out = threshold + self._bound(largest)
        pairs = found.rows[0][order], found.columns[0][order], found.values[0][order]
        return Candidates(
            pairs[0].astype(np.int64), pairs[1].astype(np.int64), pairs[2], left_out, self._bound
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
            return self._round(rows)
        return self._copy[number][rows.start - number * self.block_rows :][: rows.stop - rows.start]

    def _round(self, rows: slice) -> Tensor:
        exact = self.table.rows(rows)
        return (exact if self.scale == 1 else exact * self.scale).bfloat16()

    def _visit(
        self,
        blocks: list[slice],
        found: list[_Found],
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
                    self._collect(similarity[:, low - first : high - first], block.start, found[other], dim=0)
        self._collect(similarity, first, found[number])

    def _empty(self, rows: int) -> _Found:
        best = np.full((rows, self.k), -np.inf, dtype=np.float32)
        none = np.zeros(0, dtype=np.int32)
        return _Found([none], [none], [none.astype(np.float32)], best)

    # --- candidates ---------------------------------------------------------------------------

    def _bound(self, threshold: np.ndarray) -> np.ndarray:
        """Return how far an exact similarity may exceed an approximate one that is below ``threshold``."""
        # half the distance of neighbouring bfloat16 numbers at the threshold, at most at 1
        inexact = self._residual * (2.01 + self._residual) + 1.01 * gamma(
            self.dim + 2, UNIT_ROUNDOFF[torch.float32]
        )
        inexact += LOST * self.dim
        size = np.clip(np.abs(threshold) + inexact, 2.0**-10, 1)
        return inexact + 2.0 ** (np.floor(np.log2(size)) - 8)

    def _collect(self, similarity: Tensor, first: int, candidates: _Found, dim: int = 1) -> None:
        """Add the columns of one block of similarities (n, m) that may be among the k nearest.

        With ``dim`` 0 the block is (m, n): maxima along rows that lie in memory one after another are many
        times faster than those of its transpose.
        """
        whole = similarity.shape[dim] // GROUP * GROUP
        groups = similarity.narrow(dim, 0, whole).unflatten(dim, (GROUP, -1)) if whole else None
        maxima = self._maxima(similarity, groups, dim)
        if dim == 0:
            similarity, groups = similarity.T, None if groups is None else groups.permute(2, 0, 1)
        best = np.concatenate([candidates.best, maxima], axis=1)
        candidates.best = np.partition(best, best.shape[1] - self.k, axis=1)[:, -self.k :]
        threshold = self._threshold(candidates.kth())
        row, group = true_places(maxima >= threshold[:, None])
        for low in range(0, len(row), GROUPS_AT_ONCE):
            part = slice(low, low + GROUPS_AT_ONCE)
            self._append(candidates, similarity, groups, (row[part], group[part]), threshold, first)

    def _threshold(self, kth: np.ndarray) -> np.ndarray:
        """Return what a candidate's approximate similarity must reach, given a lower bound of the k-th."""
        bound = self._bound(np.where(np.isfinite(kth), kth, -1))
        return np.where(np.isneginf(kth), -2, kth - SLACK - 1.5 * bound)

    def _hide_self(self, similarity: Tensor, start: int, first: int) -> None:
        low, high = max(start, first), min(start + similarity.shape[0], first + similarity.shape[1])
        if low < high:
            own = torch.arange(low, high)
            similarity[own - start, own - first] = -torch.inf

    @staticmethod
    def _maxima(similarity: Tensor, groups: Tensor | None, dim: int) -> np.ndarray:
        """Return the maximum of every group, float32 (n, G); columns of the rest are groups of one."""
        maxima = similarity
        if groups is not None:
            whole = groups.shape[dim] * groups.shape[dim + 1]
            rest = similarity.narrow(dim, whole, similarity.shape[dim] - whole)
            maxima = torch.cat([groups.amax(dim=dim), rest], dim=dim)
        return (maxima if dim == 1 else maxima.T).float().contiguous().numpy()

    def _append(
        self,
        candidates: _Found,
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
            pair, inner = true_places(member >= threshold[row][:, None])
            rows.append(row[pair])
            columns.append(inner * count + group[pair])
            values.append(member[pair, inner])
        candidates.rows.append(np.concatenate(rows).astype(np.int32))
        candidates.columns.append((np.concatenate(columns) + first).astype(np.int32))
        candidates.values.append(np.concatenate(values))
        candidates.fresh += len(candidates.rows[-1])
        if candidates.fresh > min(max(PRUNE_AFTER[0], self._budget), PRUNE_AFTER[1]) * len(candidates.best):
            self._prune(candidates)

    def _prune(self, candidates: _Found) -> None:
        """Drop pairs that the thresholds have left behind, and rows with too many; memory is bounded."""
        row, value = np.concatenate(candidates.rows), np.concatenate(candidates.values)
        column = np.concatenate(candidates.columns)
        for _ in range(2):  # the second time without the rows that had too many
            kept = value >= self._threshold(candidates.kth())[row]
            row, column, value = row[kept], column[kept], value[kept]
            count = np.bincount(row, minlength=len(candidates.best))
            fewest = np.argsort(count, kind="stable")
            crowded = count > MAX_CANDIDATES
            crowded[fewest[count[fewest].cumsum() > self._budget * len(count)]] = True
            candidates.best[crowded] = np.inf
        candidates.rows, candidates.columns, candidates.values = [row], [column], [value]
        candidates.fresh = 0
