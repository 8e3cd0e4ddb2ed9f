"""k-means of feature vectors, and the instance nearest to every centroid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmcgan.instances.ranking import Rows
from mmcgan.neighbours.assign import Assignment
from mmcgan.neighbours.checks import check_width
from mmcgan.neighbours.nearest import nearest_neighbours
from mmcgan.neighbours.pairs import pair_distances
from mmcgan.random import make_generator

BLOCK_ROWS = 8192
BYTES = 8  # of an element of the sample: float32, and a copy for products
SUMMED_ROWS = 64
# as in faiss: more points than this per centroid do not change the centroids noticeably
POINTS_PER_CENTROID = 256
# of the nearest rows of a centroid, how many are remembered in case other centroids take the first ones
RUNNERS_UP = 16


@dataclass(frozen=True)
class Clustering:
    """Centroids and the mean squared distance to them.

    Attributes:
        centroids: float32 (M, F), not normalised.
        objective: sum over the points clustered of the squared distance to the nearest centroid.
        points: how many points were clustered.
    """

    centroids: Tensor
    objective: float
    points: int


def kmeans(
    table: Rows,
    clusters: int,
    iterations: int = 25,
    seed: int = 0,
    memory: int = 1 << 30,
    advance: Callable[[], None] | None = None,
) -> Clustering:
    """Cluster the rows of ``table`` by Lloyd's iterations, from random rows.

    A random sample of 256 rows per centroid, or as many as fit into memory, is clustered. Every assignment is
    that of float64 distances, ties going to the lower centroid; sums and the objective are float64. Empty
    clusters take the points that lie furthest from their own centroids, as in scikit-learn.

    Args:
        table: vectors (N, F).
        clusters: M.
        iterations: of Lloyd.
        seed: of the sample and of the first centroids.
        memory: bytes that the sample may take.
        advance: called after each iteration.

    Raises:
        ValueError: ``clusters`` is not in 1..N, or vectors that are not finite or have no dimension.
    """
    size, dim = int(table.shape[0]), int(table.shape[1])
    check_width(dim, "the images'")
    if not 1 <= clusters <= size:
        raise ValueError(f"k-means: the number of clusters must be in 1..{size}, got {clusters}")
    generator = make_generator(seed, "k-means")
    fitting = memory // (dim * BYTES) // 2
    count = max(clusters, min(size, POINTS_PER_CENTROID * clusters, fitting))
    points = _sample(table, count, generator)
    centroids = points[torch.randperm(count, generator=generator)[:clusters]].clone()
    assignment = Assignment(points)
    nearest = assignment.nearest(centroids)
    for _ in range(iterations):
        centroids = _update(points, nearest, clusters)
        nearest = assignment.nearest(centroids)
        if advance is not None:
            advance()
    return Clustering(centroids, assignment.squared_distance(centroids, nearest), count)


def _sample(table: Rows, count: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` random rows, or all in their order."""
    size = int(table.shape[0])
    if count == size:
        starts = range(0, size, BLOCK_ROWS)
        return torch.cat([table.rows(slice(i, min(i + BLOCK_ROWS, size))) for i in starts])
    chosen = torch.randperm(size, generator=generator)[:count].sort().values
    return torch.cat([table.rows(part) for part in chosen.split(BLOCK_ROWS)])


def _update(points: Tensor, nearest: Tensor, clusters: int) -> Tensor:
    """Return the means of the clusters; empty ones take the points furthest from their own means."""
    count = torch.bincount(nearest, minlength=clusters)
    means = _sums(points, nearest, count).div_(count.clamp_min(1)[:, None]).float()
    empty = torch.nonzero(count == 0).flatten()
    if len(empty):
        distance = pair_distances(points, means, torch.arange(len(points)), nearest)
        means[empty] = points[distance.argsort(descending=True, stable=True)[: len(empty)]]
    return means


def _sums(points: Tensor, nearest: Tensor, count: Tensor) -> Tensor:
    """Return the sum of the points of each cluster, float64 (M, F)."""
    order = nearest.argsort(stable=True)
    ends = count.cumsum(0).tolist()
    sums = torch.zeros(len(count), points.shape[1], dtype=torch.float64)
    for cluster, (low, high) in enumerate(zip([0, *ends], ends, strict=False)):
        for part in order[low:high].split(SUMMED_ROWS):
            sums[cluster] += points.index_select(0, part).double().sum(dim=0)
    return sums


def nearest_rows(table: Rows, centroids: Tensor, keep: int = 1) -> tuple[Tensor, Tensor]:
    """Return the ``keep`` rows of ``table`` nearest to each centroid by Euclidean distance.

    Args:
        table: vectors (N, F).
        centroids: float32 (M, F), used as they are.
        keep: rows per centroid.

    Returns:
        Rows, int64 (M, keep), nearest first, and distances, float64; ties go to the lower row.
    """
    keep = min(keep, int(table.shape[0]))
    best = torch.full((len(centroids), 0), torch.inf, dtype=torch.float64)
    index = torch.zeros(len(centroids), 0, dtype=torch.int64)
    for start in range(0, int(table.shape[0]), BLOCK_ROWS):
        rows = table.rows(slice(start, min(start + BLOCK_ROWS, int(table.shape[0]))))
        near, column = nearest_neighbours(centroids, rows, min(keep, len(rows)))
        # earlier rows stand first and stay first where distances are equal
        best, order = torch.cat([best, near], dim=1).sort(dim=1, stable=True)
        index = torch.cat([index, column + start], dim=1).gather(1, order)[:, :keep]
        best = best[:, :keep]
    return index, best


def select_instances(table: Rows, centroids: Tensor) -> Tensor:
    """Return one row of ``table`` for each centroid: the nearest, every row at most once.

    Where two centroids have the same nearest row, the closer one keeps it and the other takes its next
    nearest row that is free.

    Args:
        table: vectors (N, F).
        centroids: float32 (M, F), at most N.

    Returns:
        int64 (M,).
    """
    chosen = torch.full((len(centroids),), -1, dtype=torch.int64)
    taken = np.zeros(int(table.shape[0]), dtype=bool)
    keep = RUNNERS_UP
    while (chosen < 0).any():
        open_ = torch.nonzero(chosen < 0).flatten()
        index, distance = nearest_rows(table, centroids[open_], keep)
        pairs = np.argsort(distance.numpy(), axis=None, kind="stable")
        for pair in pairs.tolist():
            place, row = pair // index.shape[1], int(index.flatten()[pair])
            if chosen[open_[place]] < 0 and not taken[row]:
                chosen[open_[place]] = row
                taken[row] = True
        keep *= 8
    return chosen
