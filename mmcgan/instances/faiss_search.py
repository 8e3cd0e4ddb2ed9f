"""Candidates for nearest neighbours from faiss's exact search in float32, and how far that may be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from mmcgan.instances.ranking import Candidates, Rows
from mmcgan.neighbours.products import UNIT_ROUNDOFF, gamma

QUERY_ROWS = 2048
BLOCK_ROWS = 8 * QUERY_ROWS
WHOLE_CHUNK = 8 * QUERY_ROWS
BLOCK_SHARE = 0.4  # of the memory
LOST = 2.0**-120  # of a product of numbers that are too small for float32


class FaissSearch:
    """The best columns by float32 products, a few more than are wanted.

    Args:
        table: the vectors.
        k: neighbours wanted.
        memory: bytes that blocks and candidates may take.
        scale: power of two that makes every row at most 1.001 long.
    """

    def __init__(self, table: Rows, k: int, memory: int, scale: float) -> None:
        self.table = table
        self.memory = memory
        self.scale = scale
        self.size, self.dim = int(table.shape[0]), int(table.shape[1])
        self.width = min(self.size, k + 17 + k // 4)  # the row itself is among them
        fitting = int(memory * BLOCK_SHARE) // (4 * self.dim)
        self.block_rows = max(1, min(BLOCK_ROWS, fitting))
        self.bound = 1.01 * gamma(self.dim + 2, UNIT_ROUNDOFF[torch.float32]) + LOST * self.dim

    def chunk_rows(self, parts: int = 1) -> int:
        """Return how many images to ask for at once, a multiple of ``QUERY_ROWS``.

        Args:
            parts: there should be at least this many chunks, one for each rank.
        """
        share = -(-self.size // parts) + QUERY_ROWS - 1
        return max(1, min(WHOLE_CHUNK, share) // QUERY_ROWS) * QUERY_ROWS

    def _rows(self, rows: slice) -> np.ndarray:
        exact = self.table.rows(rows)
        return np.ascontiguousarray((exact if self.scale == 1 else exact * self.scale).numpy())

    def candidates(
        self, start: int, stop: int, advance: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Candidates]]:
        """Yield the first row and the candidates of consecutive parts of images ``start``..``stop - 1``.

        Args:
            start, stop: the range.
            advance: called after every step with the number of similarities it settled.
        """
        size = max(1, min(QUERY_ROWS, self.block_rows))
        starts = range(start, stop, size)
        values = [np.full((min(size, stop - i), self.width), -np.inf, np.float32) for i in starts]
        columns = [np.full((min(size, stop - i), self.width), -1) for i in starts]
        for low in range(0, self.size, self.block_rows):
            block = self._rows(slice(low, min(low + self.block_rows, self.size)))
            for number, first in enumerate(starts):
                query = self._rows(slice(first, first + len(values[number])))
                found = self._search(query, block)
                merged = np.concatenate([values[number], found[0]], axis=1)
                order = np.argsort(-merged, axis=1, kind="stable")[:, : self.width]
                values[number] = np.take_along_axis(merged, order, axis=1)
                names = np.concatenate([columns[number], found[1] + low], axis=1)
                columns[number] = np.take_along_axis(names, order, axis=1)
                if advance is not None:
                    advance(len(block) * len(query))
        for number, first in enumerate(starts):
            yield first, self._finish(first, columns[number], values[number])

    def _search(self, query: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return similarities and columns of the best rows of a block, best first."""
        import faiss

        with _threads(torch.get_num_threads()):
            value, column = faiss.knn(
                query, block, min(self.width, len(block)), metric=faiss.METRIC_INNER_PRODUCT
            )
        return value, column

    def _finish(self, first: int, column: np.ndarray, value: np.ndarray) -> Candidates:
        """Return pairs sorted by row, without the rows themselves."""
        left_out = value[:, -1].astype(np.float64) + 1.01 * self.bound
        if self.width == self.size:
            left_out[:] = -np.inf
        order = np.argsort(column, axis=1)
        column, value = (np.take_along_axis(part, order, axis=1) for part in (column, value))
        row, place = np.nonzero(column != np.arange(first, first + len(column))[:, None])
        return Candidates(row, column[row, place], value[row, place], left_out, self._constant)

    def _constant(self, similarity: np.ndarray) -> np.ndarray:
        return np.full(similarity.shape, self.bound)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let faiss use as many threads as torch does; it has its own OpenMP."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
