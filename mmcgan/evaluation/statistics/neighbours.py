"""Exact nearest neighbours and ball memberships over the blocks of the distances beside it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.evaluation.statistics.distances import (
    COLUMN_BLOCK,
    ROW_BLOCK,
    PairBounds,
    PointSet,
    blocks,
    check_features,
    check_pair,
    close_distances,
    exact_distances,
    point_sets,
    smallest,
    sparse_pairs,
)


def kth_neighbour_distances(features: Tensor, k: int) -> Tensor:
    """Return the distance of each vector to its k-th nearest other vector.

    Args:
        features: (N, F).
        k: a vector is not its own neighbour; duplicates are neighbours at distance 0.

    Returns:
        (N,) in the precision of the features, exact to its last digit.

    Raises:
        ValueError: not finite vectors, or ``k`` not in 1..N-1.
    """
    check_features(features, "the")
    check_neighbours(k, len(features), "vectors")
    return _kth_of_points(point_sets(features)[0], k)


def _kth_of_points(points: PointSet, k: int) -> Tensor:
    """Return what :func:`kth_neighbour_distances` returns, from prepared vectors."""
    features = points.features
    bounds = PairBounds(points, points)
    every = torch.arange(len(features), device=features.device)
    best = _own_candidates(bounds, min(4 * k + 12, len(features) - 1))
    distance, certain = _kth_distance(bounds, every, best, k, len(features) - 1)
    if not certain.all():
        bounds, again = bounds.precise(), every[~certain]
        best = _candidates(bounds, again, best.width, exclude_self=True)
        distance[again] = _kth_distance(bounds, again, best, k, len(features) - 1)[0]
    return distance


def nearest_neighbours(queries: Tensor, bank: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return distance and row of the k nearest vectors of ``bank``, nearest first.

    Args:
        queries: (N, F).
        bank: (M, F).
        k: 1..M.

    Returns:
        distances and rows, each (N, k).

    Raises:
        ValueError: vectors that cannot be compared, or ``k`` out of range.
    """
    check_pair(bank, queries)
    check_neighbours(k, len(bank) + 1, "vectors to search in")
    rows = torch.arange(len(queries), device=queries.device)
    points, others = point_sets(bank, queries)
    bounds, width = PairBounds(others, points), min(4 * k + 12, len(bank))
    distance, column, certain = _nearest(bounds, rows, width, k)
    if not certain.all():
        again = rows[~certain]
        distance[again], column[again], _ = _nearest(bounds.precise(), again, width, k)
    return distance, column


def check_neighbours(k: int, count: int, what: str) -> None:
    """Refuse a ``k`` that is not in 1..count-1.

    Raises:
        ValueError: with both numbers.
    """
    if not 1 <= k < count:
        raise ValueError(f"k={k} nearest neighbours need more than {k} {what} (k at least 1), got {count}")


@dataclass
class Candidates:
    """The smallest scaled lower bounds of each row, ascending, and their columns; streamed over blocks.

    Attributes:
        width: how many are kept.
        low: (n, w), w at most ``width``.
        column: int64 (n, w).
    """

    width: int
    low: Tensor
    column: Tensor

    @classmethod
    def empty(cls, rows: int, width: int, like: Tensor) -> Candidates:
        """Return candidates of ``rows`` rows that have met no column yet."""
        low = torch.full((rows, width), torch.inf, dtype=like.dtype, device=like.device)
        return cls(width, low, torch.zeros(rows, width, dtype=torch.int64, device=like.device))

    def add(self, rows: slice, block: Tensor, start: int) -> None:
        """Add columns ``start``... of some rows."""
        low, column = smallest(block, self.width)
        low = torch.cat([self.low[rows], low], dim=1)
        column = torch.cat([self.column[rows], column + start], dim=1)
        self.low[rows], position = low.topk(self.width, dim=1, largest=False)
        self.column[rows] = column.gather(1, position)


def _own_candidates(bounds: PairBounds, width: int) -> Candidates:
    """Return candidates within one set: each product serves its rows and its columns."""
    count = len(bounds.first)
    best = Candidates.empty(count, width, torch.empty(0, dtype=bounds.wide, device=bounds.terms[0].device))
    parts = list(blocks(count, ROW_BLOCK))
    for index, rows in enumerate(parts):
        for columns in parts[index:]:
            block = bounds.dense(rows, columns)
            if columns == rows:
                block.fill_diagonal_(torch.inf)
            else:
                best.add(columns, block.T, rows.start)
            best.add(rows, block, columns.start)
    return best


def _candidates(bounds: PairBounds, rows: Tensor, width: int, exclude_self: bool = False) -> Candidates:
    """Return candidates of some rows of the first set among the whole second set."""
    like = torch.empty(0, dtype=bounds.wide, device=rows.device)
    best = Candidates.empty(len(rows), width, like)
    for part in blocks(len(rows), ROW_BLOCK):
        for columns in blocks(len(bounds.second), COLUMN_BLOCK):
            chosen = rows[part]
            block = bounds.dense(chosen, columns)
            if exclude_self:
                inside = (chosen >= columns.start) & (chosen < columns.stop)
                block[inside.nonzero().flatten(), chosen[inside] - columns.start] = torch.inf
            best.add(part, block, columns.start)
    return best


def _kth_distance(
    bounds: PairBounds, rows: Tensor, best: Candidates, k: int, available: int
) -> tuple[Tensor, Tensor]:
    """Return the k-th smallest distance of each row, and whether the candidates suffice for it.

    First float32, then float64 differences narrow the intervals of what may be the k-th.
    """
    lower, upper = bounds.interval(best.low, rows[:, None], best.column)
    reach = upper.kthvalue(k, dim=1).values
    certain = (lower[:, -1] > reach) | (best.width >= available)
    distance = torch.full_like(upper, torch.inf)
    for exact in (False, True):
        reach, floor = (bound.kthvalue(k, dim=1).values[:, None] for bound in (upper, lower))
        row, place = ((lower <= reach) & (upper >= floor)).nonzero(as_tuple=True)
        pair = rows[row], best.column[row, place]
        if exact:
            found = exact_distances(bounds.first.features, bounds.second.features, *pair).double()
            # What is surely nearer counts as -infinity, what is surely further as infinity.
            distance[(upper < floor)] = -torch.inf
            distance[row, place] = found
        else:
            lower[row, place], upper[row, place] = close_distances(bounds, *pair)
    result = distance.kthvalue(k, dim=1).values
    return result.to(bounds.first.features.dtype), certain


def _nearest(bounds: PairBounds, rows: Tensor, width: int, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return distances and columns (n, k), nearest first, and which rows are certain."""
    best = _candidates(bounds, rows, width)
    lower, upper = bounds.interval(best.low, rows[:, None], best.column)
    reach = upper.kthvalue(k, dim=1).values[:, None]
    certain = (lower[:, -1:] > reach).squeeze(1) | (width >= len(bounds.second))
    row, place = (lower <= reach).nonzero(as_tuple=True)
    found = exact_distances(bounds.first.features, bounds.second.features, rows[row], best.column[row, place])
    distance = found.new_full(best.column.shape, torch.inf)
    distance[row, place] = found
    distance, order = distance.sort(dim=1, stable=True)
    return distance[:, :k], best.column.gather(1, order[:, :k]), certain


@dataclass(frozen=True)
class BallCounts:
    """Which points lie in which balls: real balls around real points, fake balls around fake ones.

    Attributes:
        real_balls: int64 (M,), how many real balls contain each fake point.
        real_hit: bool (N,), whether the ball of each real point contains a fake point.
        in_fake_ball: bool (N,), whether each real point lies in the ball of some fake point.
    """

    real_balls: Tensor
    real_hit: Tensor
    in_fake_ball: Tensor


def count_balls(
    real: Tensor, fake: Tensor, real_radius: Tensor, fake_radius: Tensor, closed: bool = False
) -> BallCounts:
    """Return which vectors lie in which balls, in one pass over the blocks.

    Args:
        real: (N, F).
        fake: (M, F).
        real_radius: (N,).
        fake_radius: (M,).
        closed: whether a ball contains its surface.

    Raises:
        ValueError: vectors that cannot be compared.
    """
    check_pair(real, fake)
    return _count_in_balls(PairBounds(*point_sets(real, fake)), real_radius, fake_radius, closed)


def neighbour_balls(real: Tensor, fake: Tensor, k: int, closed: bool = False) -> BallCounts:
    """Return which vectors lie in which balls that reach to the k-th nearest vector of the same set.

    The same as :func:`count_balls` with the radii of :func:`kth_neighbour_distances`, but vectors are
    prepared once.

    Args:
        real: (N, F).
        fake: (M, F).
        k: below N and M.
        closed: whether a ball contains its surface.

    Raises:
        ValueError: vectors that cannot be compared, or ``k`` out of range.
    """
    check_pair(real, fake)
    check_neighbours(k, min(len(real), len(fake)), "real and generated images")
    sets = point_sets(real, fake)
    radii = [
        _kth_of_points(points if points.is_centred() else point_sets(points.features)[0], k)
        for points in sets
    ]
    return _count_in_balls(PairBounds(*sets), radii[0], radii[1], closed)


def _count_in_balls(bounds: PairBounds, real_radius: Tensor, fake_radius: Tensor, closed: bool) -> BallCounts:
    """Return the counts of :func:`count_balls`, in one pass over the blocks."""
    real, fake = bounds.first.features, bounds.second.features
    counts = BallCounts(
        torch.zeros(len(fake), dtype=torch.int64, device=fake.device),
        torch.zeros(len(real), dtype=torch.bool, device=real.device),
        torch.zeros(len(real), dtype=torch.bool, device=real.device),
    )
    for rows in blocks(len(real), ROW_BLOCK):
        for columns in blocks(len(fake), COLUMN_BLOCK):
            pairs = _near_pairs(bounds, (rows, columns), (real_radius, fake_radius), counts)
            _count_pairs(counts, bounds, pairs, (real_radius, fake_radius), closed)
    return counts


def _near_pairs(
    bounds: PairBounds, block: tuple[slice, slice], radius: tuple[Tensor, Tensor], counts: BallCounts
) -> tuple[Tensor, Tensor, Tensor]:
    """Return row, column and ``low`` of the pairs of a block that may lie in a ball of either."""
    low = bounds.dense(*block)
    # Slightly too far a reach costs a look, too short a one would lose a pair.
    reach = [r[part].double().square() for r, part in zip(radius, block, strict=True)]
    sums = [
        part.squared_norm[index] for part, index in zip((bounds.first, bounds.second), block, strict=True)
    ]
    margin = 1e-6 * (sums[0].max() + sums[1].max())
    limit = [((value + margin) / bounds.scale).to(low.dtype) for value in reach]
    near = low <= limit[0][:, None]
    if not counts.in_fake_ball[block[0]].all():
        near |= low <= limit[1]
    row, column = sparse_pairs(near)
    return row + block[0].start, column + block[1].start, low[row, column]


def _count_pairs(
    counts: BallCounts,
    bounds: PairBounds,
    pairs: tuple[Tensor, Tensor, Tensor],
    radius: tuple[Tensor, Tensor],
    closed: bool,
) -> None:
    """Decide the pairs of one block and add them."""
    row, column, low = pairs
    reach = radius[0][row].double().square(), radius[1][column].double().square()
    lower, upper = bounds.interval(low, row, column)
    for exact in (False, True):
        in_real, in_fake = _inside(upper, reach[0]), _inside(upper, reach[1])
        counts.in_fake_ball[row[in_fake]] = True  # one ball is enough: the others need no further look
        open_real = ~in_real & ~_outside(lower, reach[0])
        open_fake = ~in_fake & ~_outside(lower, reach[1]) & ~counts.in_fake_ball[row]
        left = (open_real | open_fake).nonzero().flatten()
        if not exact:
            lower[left], upper[left] = close_distances(bounds, row[left], column[left])
    features = bounds.first.features, bounds.second.features
    distance = exact_distances(*features, row[left], column[left])
    compare = torch.le if closed else torch.lt
    in_real[left] = compare(distance, radius[0][row[left]])
    in_fake[left] = compare(distance, radius[1][column[left]])
    counts.real_balls.add_(torch.bincount(column[in_real], minlength=len(counts.real_balls)))
    counts.real_hit[row[in_real]] = True
    counts.in_fake_ball[row[in_fake]] = True


def _inside(upper: Tensor, reach: Tensor) -> Tensor:
    """Return where a distance is smaller than a float32 radius, rounding of the radius included."""
    return upper < reach * (1 - 5e-7)


def _outside(lower: Tensor, reach: Tensor) -> Tensor:
    """Return where a distance is larger than a float32 radius, rounding of the radius included."""
    return lower > reach * (1 + 5e-7)
