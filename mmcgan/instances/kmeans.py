"""k-means of feature vectors, and the instance nearest to every centroid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from mmcgan.instances.neighbours import Rows, bfloat16_is_fast
from mmcgan.random import make_generator

BLOCK_ROWS = 8192
# as in faiss: more points than this per centroid do not change the centroids noticeably
POINTS_PER_CENTROID = 256
SPLIT_NUDGE = 1 / 1024
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

    A random sample of 256 rows per centroid, or as many as fit into memory, is clustered. Products are
    bfloat16 where the CPU multiplies it in hardware; sums and the objective are float32. An empty cluster is
    given half of the largest one.

    Args:
        table: vectors (N, F).
        clusters: M.
        iterations: of Lloyd.
        seed: of the sample and of the first centroids.
        memory: bytes that the sample may take.
        advance: called after each iteration.

    Raises:
        ValueError: ``clusters`` is not in 1..N.
    """
    size, dim = int(table.shape[0]), int(table.shape[1])
    if not 1 <= clusters <= size:
        raise ValueError(f"k-means: the number of clusters must be in 1..{size}, got {clusters}")
    generator = make_generator(seed, "k-means")
    fast = bfloat16_is_fast()
    fitting = memory // (dim * (6 if fast else 4)) // 2
    count = max(clusters, min(size, POINTS_PER_CENTROID * clusters, fitting))
    points = _sample(table, count, generator)
    centroids = points[torch.randperm(count, generator=generator)[:clusters]].clone()
    rounded = points.bfloat16() if fast else points
    for _ in range(iterations):
        nearest = _assign(rounded, centroids)
        centroids = _update(points, nearest, centroids)
        if advance is not None:
            advance()
    nearest = _assign(points, centroids)
    error = sum(
        float((part - centroids[near]).square().sum(1).double().sum())
        for part, near in zip(points.split(BLOCK_ROWS), nearest.split(BLOCK_ROWS), strict=True)
    )
    return Clustering(centroids, error, count)


def _sample(table: Rows, count: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` random rows, or all in their order."""
    size = int(table.shape[0])
    if count == size:
        starts = range(0, size, BLOCK_ROWS)
        return torch.cat([table.rows(slice(i, min(i + BLOCK_ROWS, size))) for i in starts])
    chosen = torch.randperm(size, generator=generator)[:count].sort().values
    return torch.cat([table.rows(part) for part in chosen.split(BLOCK_ROWS)])


def _assign(points: Tensor, centroids: Tensor) -> Tensor:
    """Return the nearest centroid of every point, int64 (n,); ties go to the lower one."""
    half = centroids.square().sum(1) / 2
    transposed = centroids.to(points.dtype).T
    blocks = (part @ transposed for part in points.split(BLOCK_ROWS))
    return torch.cat([(products - half).argmax(dim=1) for products in blocks])


def _update(points: Tensor, nearest: Tensor, centroids: Tensor) -> Tensor:
    """Return the means of the clusters; an empty one becomes a neighbour of the largest."""
    count = torch.bincount(nearest, minlength=len(centroids))
    # rows are added up where they lie, in one pass
    sums = embedding_bag(nearest.argsort(stable=True), points, count.cumsum(0) - count, mode="sum")
    means = sums / count.clamp_min(1)[:, None]
    share = count.clone()
    for empty in torch.nonzero(count == 0).flatten().tolist():
        largest = int(share.argmax())
        # two copies, pushed apart
        sign = torch.where(torch.arange(means.shape[1]) % 2 == 0, SPLIT_NUDGE, -SPLIT_NUDGE)
        means[empty] = means[largest] * (1 + sign)
        means[largest] = means[largest] * (1 - sign)
        share[empty] = share[largest] // 2
        share[largest] -= share[empty]
    return means


def nearest_rows(table: Rows, centroids: Tensor, keep: int = 1) -> tuple[Tensor, Tensor]:
    """Return the ``keep`` rows of ``table`` nearest to each centroid by Euclidean distance.

    Args:
        table: vectors (N, F).
        centroids: float32 (M, F), used as they are.
        keep: rows per centroid.

    Returns:
        Rows, int64 (M, keep), nearest first, and squared distances less the centroid's squared length,
        float32; ties go to the lower row.
    """
    keep = min(keep, int(table.shape[0]))
    best = torch.full((len(centroids), keep), torch.inf)
    index = torch.zeros(len(centroids), keep, dtype=torch.int64)
    for start in range(0, int(table.shape[0]), BLOCK_ROWS):
        rows = table.rows(slice(start, min(start + BLOCK_ROWS, int(table.shape[0]))))
        distance = rows.square().sum(1) - 2 * (centroids @ rows.T)
        near, column = distance.topk(min(keep, len(rows)), dim=1, largest=False)
        best = torch.cat([best, near], dim=1)
        index = torch.cat([index, column + start], dim=1)
        order = torch.from_numpy(np.lexsort((index.numpy(), best.numpy()), axis=1)[:, :keep].copy())
        best, index = best.gather(1, order), index.gather(1, order)
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
        exact = distance + centroids[open_].square().sum(1, keepdim=True)
        pairs = np.argsort(exact.numpy(), axis=None, kind="stable")
        for pair in pairs.tolist():
            place, row = pair // index.shape[1], int(index.flatten()[pair])
            if chosen[open_[place]] < 0 and not taken[row]:
                chosen[open_[place]] = row
                taken[row] = True
        keep *= 8
    return chosen
