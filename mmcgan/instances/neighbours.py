"""Exact nearest neighbours by inner product: fast candidates, exact ranking, and a proof for every row.

Candidates come from faiss's exact search or, where it is at least 1.5 times as fast on the machine
(:func:`own_search_pays`), from our own bfloat16 products. Both say how similar an image that they left out
can be. Candidates are ranked by float64 products; a row whose k-th similarity is at least
as large as that is certified. The others are searched again in float64 products, and every image that those
allow is ranked too. So the result is the same either way, and that of a plain float64 search.

Similarities are float64 products of float32 rows, summed in an order that does not depend on the row's place:
equal images have equal similarities. Ties go to the lower index. An image is never its own neighbour; a zero
vector has similarity 0 to everything. Of equal images only those are searched that can be found
(:mod:`mmcgan.instances.repeated`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mmcgan.instances.faiss_search import FaissSearch
from mmcgan.instances.matrix_units import MatrixUnitSearch
from mmcgan.instances.ranking import Candidates, Rows, TensorRows, best_of_rows, pair_products, rank
from mmcgan.instances.repeated import KeptRows, find_repeats
from mmcgan.neighbours.checks import check_width
from mmcgan.neighbours.pairs import PAIR_ELEMENTS, pair_distances
from mmcgan.neighbours.products import UNIT_ROUNDOFF, bfloat16_gain, full_precision, gamma
from mmcgan.neighbours.repeats import row_keys

__all__ = ["NeighbourSearch", "Neighbours", "Rows", "TensorRows"]

#: The rule of :func:`own_search_pays`; measured in docs/instances.md. Vector units multiply bfloat16 some
#: twice as fast as float32. Our search then pays for many images: it computes each pair once, faiss twice.
#: Matrix units are four times as fast and more: with them three times the speed of faiss was measured.
VECTOR_UNITS, MATRIX_UNITS = 2.0, 3.0
MANY_IMAGES = 10_000
RANKED_ROWS = 4096
AGAIN_ROWS = 256  # rows and columns of the float64 pass
AGAIN_COLUMNS = 2048
LONGEST = 1.001  # of a scaled row


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of a range of images.

    Attributes:
        index: int32 (n, k), nearest first.
        similarity: float64 (n, k).
        radius: float32 (n,), Euclidean distance to the k-th neighbour.
        uncertified: rows that needed the float64 pass.
    """

    index: Tensor
    similarity: Tensor
    radius: Tensor
    uncertified: int


def _joined(found: Iterator[tuple[int, Candidates]]) -> Iterator[tuple[int, Candidates]]:
    """Join consecutive parts up to ``RANKED_ROWS``, for each of which the whole table is read."""
    held: list[tuple[int, Candidates]] = []
    for part in found:
        if held and part[0] - held[0][0] >= RANKED_ROWS:
            yield held[0][0], Candidates.join([candidates for _, candidates in held])
            held = []
        held.append(part)
    yield held[0][0], Candidates.join([candidates for _, candidates in held])


class CandidateSearch(Protocol):
    """What finds candidates."""

    def chunk_rows(self, parts: int = 1) -> int:
        """Return how many images to ask for at once, if there should be this many parts."""

    def candidates(
        self, start: int, stop: int, advance: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Candidates]]:
        """Yield the first row and the candidates of consecutive parts of a range."""


def own_search_pays(images: int) -> bool:
    """Return whether our own search of so many images is at least 1.5 times as fast as by faiss here.

    A small product tells, which is timed once a process: from three times float32's speed in bfloat16 on for
    any number of images, from twice on for 10,000 and more. faiss searches the others, and wherever bfloat16
    is emulated.
    """
    gain = bfloat16_gain("cpu")
    return gain >= MATRIX_UNITS or (gain >= VECTOR_UNITS and images >= MANY_IMAGES)


class NeighbourSearch:
    """Exact k-NN of a table of vectors with itself.

    Args:
        table: the vectors; bounds are tight where they are about equally long.
        k: neighbours wanted.
        memory: bytes that blocks and copies may take.
        precision: ``bfloat16`` for our own search, ``float32`` for faiss; None asks :func:`own_search_pays`.

    Raises:
        ValueError: fewer than k + 1 images, k below 1, another precision, or vectors that are not finite or
            have no dimension.
    """

    def __init__(self, table: Rows, k: int, memory: int = 1 << 30, precision: str | None = None) -> None:
        self.images, self.dim = int(table.shape[0]), int(table.shape[1])
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if self.images <= k:
            raise ValueError(f"k={k} neighbours need at least {k + 1} images, there are {self.images}")
        check_width(self.dim, "the images'")
        if precision not in (None, "bfloat16", "float32"):
            raise ValueError(f"precision must be bfloat16, float32 or None, got {precision!r}")
        self.k = k
        self.scale, keys = self._measure(table, max(1, PAIR_ELEMENTS // max(1, self.dim)))
        self.repeats = find_repeats(table, keys, k)
        self.table = table if self.repeats is None else KeptRows(table, torch.from_numpy(self.repeats.kept))
        self.size = int(self.table.shape[0])
        own = own_search_pays(self.size) if precision is None else precision == "bfloat16"
        kind = MatrixUnitSearch if own else FaissSearch
        self.source: CandidateSearch = kind(self.table, k, memory, self.scale)

    def _measure(self, table: Rows, size: int) -> tuple[float, list[Tensor]]:
        """Return the power of two that makes every row at most ``LONGEST`` long, and keys of all rows.

        It is 1 for unit vectors.

        Raises:
            ValueError: a vector is not finite; names it.
        """
        longest, keys = 0.0, []
        for start in range(0, self.images, size):
            given = table.rows(slice(start, min(start + size, self.images)))
            keys.append(row_keys(given))
            rows = given.double()
            length = torch.linalg.vecdot(rows, rows).sqrt_()
            bad = (~torch.isfinite(length)).nonzero().flatten()
            if len(bad):
                raise ValueError(f"the feature of image {start + int(bad[0])} is NaN or infinite")
            longest = max(longest, float(length.max()))
        outside = longest > LONGEST or 0 < longest < 0.5
        # no more than float32 can hold: rows that are shorter still are searched again
        return 2.0 ** min(120, -math.frexp(longest / LONGEST)[1] if outside else 0), keys

    def chunk_rows(self, parts: int = 1) -> int:
        """Return how many images to ask for at once, so that there are ``parts`` chunks or more."""
        return self.source.chunk_rows(parts)

    def search(self, start: int, stop: int, advance: Callable[[int], None] | None = None) -> Neighbours:
        """Return the neighbours of images ``start``..``stop - 1`` among all images.

        Args:
            start, stop: the range.
            advance: called after every step with the number of similarities it settled.
        """
        if self.repeats is None:
            return self._search(start, stop, advance)
        wanted = self.repeats.place[start:stop]
        places, back = np.unique(wanted, return_inverse=True)
        borders = np.flatnonzero(np.diff(places, prepend=places[0] - 2) != 1)
        found = self._join(
            [self._search(int(part[0]), int(part[-1]) + 1, None) for part in np.split(places, borders[1:])]
        )
        if advance is not None:
            advance(self.images * (stop - start))
        kept, rows = torch.from_numpy(self.repeats.kept), torch.from_numpy(back)
        index = kept[found.index.long()].int()
        return Neighbours(index[rows], found.similarity[rows], found.radius[rows], found.uncertified)

    def _search(self, start: int, stop: int, advance: Callable[[int], None] | None) -> Neighbours:
        """Return the neighbours of a range of the images that are searched, among these."""
        with full_precision():
            found = self.source.candidates(start, stop, advance)
            return self._join([self._rank(first, candidates) for first, candidates in _joined(found)])

    @staticmethod
    def _join(parts: list[Neighbours]) -> Neighbours:
        return Neighbours(
            torch.cat([part.index for part in parts]),
            torch.cat([part.similarity for part in parts]),
            torch.cat([part.radius for part in parts]),
            sum(part.uncertified for part in parts),
        )

    def _rank(self, start: int, candidates: Candidates) -> Neighbours:
        """Return the neighbours of consecutive images from their candidates."""
        query = self.table.rows(slice(start, start + len(candidates.left_out)))
        index, similarity, failed = rank(self.table, query, candidates, self.k, self.scale**2, start)
        for low in range(0, len(failed), AGAIN_ROWS):
            part = failed[low : low + AGAIN_ROWS]
            found = self._again(start + part, query[torch.from_numpy(part)], similarity[part, -1])
            index[part], similarity[part] = found
        rows = torch.from_numpy(index)
        last = self.table.rows(rows[:, -1].long())
        every = torch.arange(len(query))
        radius = pair_distances(query, last, every, every).float()
        return Neighbours(rows, torch.from_numpy(similarity), radius, len(failed))

    def _again(self, own: np.ndarray, query: Tensor, kth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbours of a few images from float64 products with all others.

        Args:
            own: their numbers.
            query: their features.
            kth: a similarity that at least k images reach, -infinity if none is known.
        """
        index = np.zeros((len(own), self.k), dtype=np.int32)
        similarity = np.full((len(own), self.k), -np.inf)
        wide = query.double()
        for start in range(0, self.size, AGAIN_COLUMNS):
            rows = self.table.rows(slice(start, min(start + AGAIN_COLUMNS, self.size)))
            block = rows.double()
            products = wide @ block.T
            # twice: these products and the exact ones are rounded in different orders
            slack = 2 * gamma(self.dim + 2, UNIT_ROUNDOFF[torch.float64])
            error = slack * torch.outer(wide.norm(dim=1), block.norm(dim=1)) + 2.0**-1000
            least = torch.from_numpy(np.maximum(kth, similarity[:, -1]))[:, None]
            open_ = products + error >= least
            open_ &= torch.from_numpy(own)[:, None] != torch.arange(start, start + len(rows))
            row, column = (part.numpy() for part in open_.nonzero(as_tuple=True))
            exact = pair_products(TensorRows(rows), query, row, column)
            best = best_of_rows(row, column + start, exact, similarity.shape)
            # earlier columns stand first and stay first where similarities are equal
            merged = np.concatenate([similarity, best[1]], axis=1)
            order = np.argsort(-merged, axis=1, kind="stable")[:, : self.k]
            similarity = np.take_along_axis(merged, order, axis=1)
            index = np.take_along_axis(np.concatenate([index, best[0]], axis=1), order, axis=1)
        return index, similarity
