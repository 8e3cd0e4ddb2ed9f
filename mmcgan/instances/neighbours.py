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
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mmcgan.instances.ranking import Pairs, Rows, TensorRows, rank_pairs, true_places

__all__ = ["NeighbourSearch", "Neighbours", "Rows", "TensorRows", "bfloat16_is_fast"]

GROUP = 32  # columns that share one maximum
QUERY_ROWS = 2048
BLOCK_ROWS = 8 * QUERY_ROWS
SLACK = 5e-4  # how far below its k-th approximate similarity a row's own k-th may lie before it needs float32
MAX_CANDIDATES = 4096  # a row with more needs float32
PRUNE_AFTER = (128, 512)  # new candidates of a row, on average: at least and at most, by memory
PAIR_BYTES = 12
GROUPS_AT_ONCE = 1 << 17
WHOLE_CHUNK = 1 << 17
RANK_ROWS = 512
FLOAT32_ROWS = 256  # rows of the float32 pass at a time
FLOAT32_ROUNDING = 2.0**-24
# shares of the memory: the rounded table if it is kept, blocks, candidates; the rest is for temporary copies
COPY_SHARE, BLOCK_SHARE, CANDIDATE_SHARE = 0.5, 0.2, 0.2


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
    """Pairs (row, column) of one query block found so far, and the best k group maxima of every row.

    A row that had too many candidates has maxima of infinity, and no more candidates.
    """

    rows: list[np.ndarray]
    columns: list[np.ndarray]
    values: list[np.ndarray]
    best: np.ndarray
    dtype: torch.dtype
    fresh: int = 0

    def kth(self) -> np.ndarray:
        """Return a lower bound of the k-th approximate similarity of every row, float32 (n,)."""
        return self.best.min(axis=1)


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
        self.memory = memory
        self.block_rows = self._block_rows(int(memory * BLOCK_SHARE), width)
        self._copy: list[Tensor] | None = None
        self._residual = 0.0
        self._budget = self.k * 4.0  # candidates of a row, on average
        self._prepare(keep=whole < memory * COPY_SHARE)

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
        # room for four candidates for every neighbour
        wanted = min(wanted, int(self.memory * CANDIDATE_SHARE) // (PAIR_BYTES * 4 * self.k))
        share = -(-self.size // parts) + QUERY_ROWS - 1
        return max(1, min(wanted, share) // QUERY_ROWS) * QUERY_ROWS

    def search(self, start: int, stop: int, advance: Callable[[int], None] | None = None) -> Neighbours:
        """Return the neighbours of images ``start``..``stop - 1`` among all images.

        Args:
            start, stop: the range.
            advance: called after every step with the number of similarities it settled.
        """
        blocks = [slice(i, min(i + QUERY_ROWS, stop)) for i in range(start, stop, QUERY_ROWS)]
        found = [self._empty(block.stop - block.start, self.dtype) for block in blocks]
        room = self.memory * CANDIDATE_SHARE / (PAIR_BYTES * max(1, stop - start))
        self._budget = max(4.0 * self.k, room)
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
                    self._collect(similarity[:, low - first : high - first], block.start, found[other], dim=0)
        self._collect(similarity, first, found[number])

    def _empty(self, rows: int, dtype: torch.dtype) -> _Candidates:
        best = np.full((rows, self.k), -np.inf, dtype=np.float32)
        none = np.zeros(0, dtype=np.int32)
        return _Candidates([none], [none], [none.astype(np.float32)], best, dtype)

    # --- candidates ---------------------------------------------------------------------------

    def _bound(self, threshold: np.ndarray, dtype: torch.dtype) -> np.ndarray:
        """Return how far an exact similarity may exceed an approximate one that is below ``threshold``."""
        summing = 2 * self.dim * FLOAT32_ROUNDING
        if dtype is torch.float32:
            return np.full_like(threshold, summing)
        # half the distance of neighbouring bfloat16 numbers at the threshold, at most at 1
        residual = self._residual * (2 + self._residual) + summing
        size = np.clip(np.abs(threshold) + residual, 2.0**-10, 1)
        return residual + 2.0 ** (np.floor(np.log2(size)) - 8)

    def _collect(self, similarity: Tensor, first: int, candidates: _Candidates, dim: int = 1) -> None:
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
        threshold = self._threshold(candidates.kth(), candidates.dtype)
        row, group = true_places(maxima >= threshold[:, None])
        for low in range(0, len(row), GROUPS_AT_ONCE):
            part = slice(low, low + GROUPS_AT_ONCE)
            self._append(candidates, similarity, groups, (row[part], group[part]), threshold, first)

    def _threshold(self, kth: np.ndarray, dtype: torch.dtype) -> np.ndarray:
        """Return what a candidate's approximate similarity must reach, given a lower bound of the k-th."""
        finite = np.where(np.isfinite(kth), kth, -1)
        bound = self._bound(finite, dtype)
        threshold = kth - 2 * bound if dtype is torch.float32 else kth - SLACK - 1.5 * bound
        return np.where(np.isneginf(kth), -2, threshold)

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

    def _prune(self, candidates: _Candidates) -> None:
        """Drop pairs that the thresholds have left behind, and rows with too many; memory is bounded."""
        row, value = np.concatenate(candidates.rows), np.concatenate(candidates.values)
        column = np.concatenate(candidates.columns)
        for _ in range(2):  # the second time without the rows that had too many
            kept = value >= self._threshold(candidates.kth(), candidates.dtype)[row]
            row, column, value = row[kept], column[kept], value[kept]
            count = np.bincount(row, minlength=len(candidates.best))
            fewest = np.argsort(count, kind="stable")
            crowded = count > MAX_CANDIDATES
            crowded[fewest[count[fewest].cumsum() > self._budget * len(count)]] = True
            candidates.best[crowded] = np.inf
        candidates.rows, candidates.columns, candidates.values = [row], [column], [value]
        candidates.fresh = 0

    # --- exact ranking ------------------------------------------------------------------------

    def _rank(self, start: int, candidates: _Candidates) -> Neighbours:
        """Return the neighbours of one query block from its candidates."""
        query = self.table.rows(slice(start, start + len(candidates.best)))
        index, similarity, failed = self._settle(query, candidates)
        if len(failed):
            index[failed], similarity[failed] = self._in_float32(
                start + failed, query[torch.from_numpy(failed)]
            )
        return Neighbours(torch.from_numpy(index), torch.from_numpy(similarity), len(failed))

    def _settle(self, query: Tensor, candidates: _Candidates) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return columns (n, k) int32, exact similarities (n, k) float32 and the rows without a proof."""
        self._prune(candidates)
        pairs = Pairs.sort(candidates.rows[0], candidates.columns[0], candidates.values[0], len(query))
        bound = partial(self._bound, dtype=candidates.dtype)
        parts = [
            rank_pairs(
                self.table,
                query[i : i + RANK_ROWS],
                pairs.part(i, min(i + RANK_ROWS, len(query))),
                self.k,
                bound,
            )
            for i in range(0, len(query), RANK_ROWS)
        ]
        index, similarity = (np.concatenate([part[i] for part in parts]) for i in range(2))
        kth = candidates.kth()
        # what was left out is below the threshold, exactly at most bound above it
        threshold = self._threshold(kth, candidates.dtype)
        largest = np.where(np.isfinite(kth), np.maximum(np.abs(kth), np.abs(threshold)), 1)
        proven = similarity[:, -1] >= threshold + bound(largest)
        return index, similarity, np.flatnonzero(~proven)

    def _in_float32(self, own: np.ndarray, query: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbours of a few images from float32 products with all others."""
        index = np.zeros((len(own), self.k), dtype=np.int32)
        similarity = np.zeros((len(own), self.k), dtype=np.float32)
        for low in range(0, len(own), FLOAT32_ROWS):
            part = slice(low, low + FLOAT32_ROWS)
            candidates = self._empty(len(own[part]), torch.float32)
            for block in self._blocks():
                products = query[part] @ self.table.rows(block).T
                mine = np.flatnonzero((own[part] >= block.start) & (own[part] < block.stop))
                products[mine, own[part][mine] - block.start] = -torch.inf
                self._collect(products, block.start, candidates)
            index[part], similarity[part], failed = self._settle(query[part], candidates)
            for i in low + failed:
                index[i], similarity[i] = self._one_by_one(int(own[i]), query[i : i + 1])
        return index, similarity

    def _one_by_one(self, own: int, query: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbours of an image with very many equally near ones."""
        exact = torch.cat([self._with_block(query, block) for block in self._blocks()])
        exact[own] = -torch.inf
        similarity, index = exact.sort(descending=True, stable=True)
        return index[: self.k].to(torch.int32).numpy(), similarity[: self.k].numpy()

    def _with_block(self, query: Tensor, block: slice) -> Tensor:
        column = torch.arange(block.start, block.stop)
        return self.table.products(query, column, torch.tensor([0, len(column)]))
