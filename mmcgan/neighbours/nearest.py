"""Exact nearest neighbours by Euclidean distance over the blocks of the bounds beside it.

Low-precision bounds give each vector a few candidates, whose distances are measured. A vector is settled if
no column left out can be as near as the k-th of them. For the others every pair whose float64 bound allows it
is measured: in the worst case, where bounds tell nothing, that is the plain float64 search, block by block.
Of equal vectors no more are searched than can be found (:mod:`mmcgan.neighbours.repeats`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.neighbours.bounds import PairBounds, PointSet, point_sets
from mmcgan.neighbours.checks import check_features, check_neighbours, check_pair
from mmcgan.neighbours.pairs import measure, pair_distances
from mmcgan.neighbours.products import full_precision
from mmcgan.neighbours.repeats import rank_among_equal, repeated_rows
from mmcgan.neighbours.selection import blocks, first_of_rows, smallest

ROW_BLOCK = 2048  # rows and columns of one product
COLUMN_BLOCK = 2048
EXACT_BLOCK = 1024  # rows and columns of which every pair may be measured


def kth_neighbour_distances(features: Tensor, k: int) -> Tensor:
    """Return the distance of each vector to its k-th nearest other vector.

    Args:
        features: (N, F).
        k: a vector is not its own neighbour; duplicates are neighbours at distance 0.

    Returns:
        float64 (N,), measured in float64 from differences.

    Raises:
        ValueError: not finite vectors, or ``k`` not in 1..N-1.
    """
    check_features(features, "the")
    check_neighbours(k, len(features), "vectors")
    with full_precision():
        leader = repeated_rows(features, k + 1)
        if leader is None:
            return kth_of_points(point_sets(features)[0], k)
        # k copies of a vector and itself tell all that more of them would
        kept = rank_among_equal(leader) <= k
        found = features.new_empty(len(features), dtype=torch.float64)
        found[kept] = kth_of_points(point_sets(features[kept])[0], k)
        return found[leader]


def kth_of_points(points: PointSet, k: int) -> Tensor:
    """Return what :func:`kth_neighbour_distances` returns, from prepared vectors."""
    bounds, count = PairBounds(points, points), len(points)
    width = min(4 * k + 12, count - 1)
    distance, certain = _kth_distance(bounds, _own_candidates(bounds, width), k, count - 1)
    if not certain.all():
        again = (~certain).nonzero().flatten()
        distance[again] = _search_again(bounds, again, distance[again], k, own=True)[0][:, -1]
    return distance


def nearest_neighbours(queries: Tensor, bank: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return distance and row of the k nearest vectors of ``bank``, nearest first.

    Args:
        queries: (N, F).
        bank: (M, F).
        k: 1..M.

    Returns:
        Distances, float64 (N, k), measured in float64 from differences, and rows, int64 (N, k); of rows
        equally near the lower comes first.

    Raises:
        ValueError: vectors that cannot be compared, or ``k`` out of range.

    Examples:
        >>> import torch
        >>> bank = torch.tensor([[0.0, 0.0], [3.0, 4.0], [9.0, 9.0]])
        >>> distances, places = nearest_neighbours(torch.tensor([[0.0, 1.0]]), bank, k=2)
        >>> places
        tensor([[0, 1]])
    """
    check_pair(bank, queries)
    check_neighbours(k, len(bank) + 1, "vectors to search in")
    with full_precision():
        leader = repeated_rows(queries, 1)
        if leader is not None:
            once, kind = leader.unique(return_inverse=True)
            distance, column = _nearest_in(queries[once], bank, k)
            return distance[kind], column[kind]
        return _nearest_in(queries, bank, k)


def _nearest_in(queries: Tensor, bank: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return what :func:`nearest_neighbours` returns; of equal vectors the first k are searched."""
    leader = repeated_rows(bank, k)
    if leader is not None:
        kept = (rank_among_equal(leader) < k).nonzero().flatten()
        distance, column = _search(queries, bank[kept], k)
        return distance, kept[column]
    return _search(queries, bank, k)


def _search(queries: Tensor, bank: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return distances and columns of the k nearest vectors of ``bank``, each of them searched."""
    points, others = point_sets(bank, queries)
    bounds, width = PairBounds(others, points), min(4 * k + 12, len(bank))
    distance, column, certain = _nearest(bounds, _candidates(bounds, width), k)
    if not certain.all():
        again = (~certain).nonzero().flatten()
        found = _search_again(bounds, again, distance[again, -1], k)
        distance[again], column[again] = found
    return distance, column


@dataclass
class Candidates:
    """The smallest ``low`` of each row, ascending, and their columns; streamed over blocks.

    Attributes:
        low: (n, w), infinity where a row has met fewer columns.
        column: int64 (n, w).
    """

    low: Tensor
    column: Tensor

    @classmethod
    def empty(cls, rows: int, width: int, bounds: PairBounds) -> Candidates:
        """Return candidates of ``rows`` rows that have met no column yet."""
        device = bounds.terms[0].device
        low = torch.full((rows, width), torch.inf, dtype=bounds.wide, device=device)
        return cls(low, torch.zeros(rows, width, dtype=torch.int64, device=device))

    def add(self, rows: slice, block: Tensor, start: int) -> None:
        """Add columns ``start``... of some rows."""
        width = self.low.shape[1]
        low, column = smallest(block, width)
        low = torch.cat([self.low[rows], low], dim=1)
        column = torch.cat([self.column[rows], column + start], dim=1)
        self.low[rows], position = low.topk(width, dim=1, largest=False)
        self.column[rows] = column.gather(1, position)


def _own_candidates(bounds: PairBounds, width: int) -> Candidates:
    """Return candidates within one set: each product serves its rows and its columns."""
    count = len(bounds.first)
    best = Candidates.empty(count, width, bounds)
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


def _candidates(bounds: PairBounds, width: int) -> Candidates:
    """Return candidates of the first set among the second."""
    best = Candidates.empty(len(bounds.first), width, bounds)
    for rows in blocks(len(bounds.first), ROW_BLOCK):
        for columns in blocks(len(bounds.second), COLUMN_BLOCK):
            best.add(rows, bounds.dense(rows, columns), columns.start)
    return best


def _settled(bounds: PairBounds, best: Candidates, reach: Tensor, available: int) -> Tensor:
    """Return the rows of which no column left out can be as near as ``reach``, a float64 distance."""
    return (best.low[:, -1] > bounds.reach(reach)) | (best.low.shape[1] >= available)


def _kth_distance(bounds: PairBounds, best: Candidates, k: int, available: int) -> tuple[Tensor, Tensor]:
    """Return the k-th smallest distance of each row's candidates, and which rows are settled by it.

    First float32, then float64 differences narrow the intervals of what may be the k-th.
    """
    rows = torch.arange(len(best.low), device=best.low.device)[:, None]
    lower, upper = bounds.interval(best.low, rows, best.column)
    distance = torch.full_like(upper, torch.inf)
    for exact in (False, True):
        reach, floor = (bound.kthvalue(k, dim=1).values[:, None] for bound in (upper, lower))
        row, place = ((lower <= reach) & (upper >= floor)).nonzero(as_tuple=True)
        pair = row, best.column[row, place]
        if exact:
            # what is surely nearer counts as -infinity, what is surely further as infinity
            distance[upper < floor] = -torch.inf
            distance[row, place] = pair_distances(bounds.first.features, bounds.second.features, *pair)
        else:
            close = bounds.close(*pair)
            lower[row, place] = torch.maximum(lower[row, place], close[0])
            upper[row, place] = torch.minimum(upper[row, place], close[1])
    found = distance.kthvalue(k, dim=1).values
    # nothing is nearer than a duplicate
    return found, _settled(bounds, best, found, available) | (found == 0)


def _nearest(bounds: PairBounds, best: Candidates, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return distances and columns (n, k) of each row's candidates, and which rows are settled by them."""
    rows = torch.arange(len(best.low), device=best.low.device)[:, None]
    lower, upper = bounds.interval(best.low, rows, best.column)
    near = lower <= upper.kthvalue(k, dim=1).values[:, None]
    # in order of their columns, so that the lower one comes first where two are equally near
    column, order = best.column.sort(dim=1)
    row, place = near.gather(1, order).nonzero(as_tuple=True)
    found = pair_distances(bounds.first.features, bounds.second.features, row, column[row, place])
    distance, column = first_of_rows(row, column[row, place], found, (len(rows), k))
    return distance, column, _settled(bounds, best, distance[:, -1], len(bounds.second))


def _search_again(
    bounds: PairBounds, rows: Tensor, reach: Tensor, k: int, own: bool = False
) -> tuple[Tensor, Tensor]:
    """Return distances and columns of the k nearest, (n, k), from every pair that may be among them.

    Args:
        bounds: of the two sets.
        rows: int64 (n,), of the first set.
        reach: float64 (n,); at least k vectors are as near as this.
        k: how many to return.
        own: the two sets are one, and a vector is not its own neighbour.
    """
    precise, features = bounds.precise(), (bounds.first.features, bounds.second.features)
    distance = reach.new_full((len(rows), k), torch.inf)
    column = rows.new_zeros(len(rows), k)
    for part in blocks(len(rows), EXACT_BLOCK):
        chosen = rows[part]
        for columns in blocks(len(bounds.second), EXACT_BLOCK):
            limit = torch.minimum(reach[part], distance[part, -1])
            near = precise.dense(chosen, columns) <= precise.reach(limit)[:, None]
            every = torch.arange(columns.start, columns.stop, device=rows.device)
            if own:
                near &= chosen[:, None] != every
            row, place, found = measure(*features, chosen, every, near)
            best = first_of_rows(row, every[place], found, (len(chosen), k))
            # earlier columns stand first and stay first where distances are equal
            merged, order = torch.cat([distance[part], best[0]], dim=1).sort(dim=1, stable=True)
            distance[part] = merged[:, :k]
            column[part] = torch.cat([column[part], best[1]], dim=1).gather(1, order)[:, :k]
    return distance, column
