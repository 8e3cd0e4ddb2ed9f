"""The nearest of a few centroids for each of many vectors, exactly."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.neighbours.bounds import PairBounds, PointSet, point_sets
from mmcgan.neighbours.checks import check_pair
from mmcgan.neighbours.pairs import measure, pair_distances
from mmcgan.neighbours.products import full_precision
from mmcgan.neighbours.selection import blocks, first_of_rows

ROWS = 8192
EXACT_ROWS = 1024


class Assignment:
    """Vectors that are assigned again and again, prepared once.

    Args:
        points: (N, F).

    Raises:
        ValueError: vectors that are not finite.
    """

    def __init__(self, points: Tensor) -> None:
        check_pair(points, points[:1])
        self.points = points
        with full_precision():
            self.prepared = point_sets(points)[0]

    def nearest(self, centroids: Tensor) -> Tensor:
        """Return the nearest centroid of every point, int64 (N,); ties go to the lower one.

        Args:
            centroids: (M, F), no further out than twice the points.
        """
        found = torch.empty(len(self.points), dtype=torch.int64)
        with full_precision():
            shared = self.prepared.center, self.prepared.scale, self.prepared.dtype
            bounds = PairBounds(self.prepared, PointSet(centroids, *shared))
            precise = bounds.precise()
            for rows in blocks(len(found), ROWS):
                index, certain = _certain(bounds, torch.arange(rows.start, rows.stop))
                found[rows] = index
                doubtful = (~certain).nonzero().flatten() + rows.start
                for part in doubtful.split(EXACT_ROWS):
                    found[part] = _exact(precise, part)
        return found

    def squared_distance(self, centroids: Tensor, nearest: Tensor) -> float:
        """Return the sum of squared distances to the centroids given, measured in float64."""
        distance = pair_distances(self.points, centroids, torch.arange(len(nearest)), nearest)
        return float(distance.square().sum())


def _certain(bounds: PairBounds, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return which column has the smallest lower bound, and for which rows no other may be as near."""
    low = bounds.dense(slice(int(rows[0]), int(rows[-1]) + 1), slice(0, len(bounds.second)))
    if low.shape[1] == 1:
        return torch.zeros_like(rows), torch.ones(len(rows), dtype=torch.bool)
    value, column = low.topk(2, dim=1, largest=False)
    upper = bounds.interval(value[:, 0], rows, column[:, 0])[1]
    lower = bounds.interval(value[:, 1], rows, column[:, 1])[0]
    return column[:, 0], lower > upper * (1 + 2 * bounds.tolerance)


def _exact(bounds: PairBounds, rows: Tensor) -> Tensor:
    """Return the nearest columns, every pair that the bounds leave open being measured."""
    every = torch.arange(len(bounds.second))
    low = bounds.dense(rows, slice(0, len(every)))
    best, column = low.min(dim=1)
    upper = bounds.interval(best, rows, column)[1]
    near = low - bounds.floor <= upper[:, None] * (1 + 2 * bounds.tolerance)
    row, place, distance = measure(bounds.first.features, bounds.second.features, rows, every, near)
    return first_of_rows(row, place, distance, (len(rows), 1))[1].squeeze(1)
