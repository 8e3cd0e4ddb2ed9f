"""Which vectors lie in which balls, decided as if every distance were measured in float64."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.neighbours.bounds import PairBounds, point_sets
from mmcgan.neighbours.checks import check_neighbours, check_pair
from mmcgan.neighbours.nearest import COLUMN_BLOCK, ROW_BLOCK, kth_neighbour_distances, kth_of_points
from mmcgan.neighbours.pairs import measure
from mmcgan.neighbours.products import full_precision
from mmcgan.neighbours.repeats import repeated_rows, weighted_rows
from mmcgan.neighbours.selection import blocks, sparse_pairs

MOST_EQUAL = 16  # vectors that occur more often are looked at once, with their number
CROWDED = 1 / 32  # of the pairs of a block; if more are left open, better bounds are computed first


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

    Distances are measured in float64 wherever bounds leave a doubt, and compared with the radii as given.

    Args:
        real: (N, F).
        fake: (M, F).
        real_radius: (N,), not negative.
        fake_radius: (M,), not negative.
        closed: whether a ball contains its surface.

    Raises:
        ValueError: vectors that cannot be compared, or radii that are negative, NaN or of another count.
    """
    check_pair(real, fake)
    for name, radius, count in (("real", real_radius, len(real)), ("fake", fake_radius, len(fake))):
        if radius.shape != (count,) or not (radius >= 0).all():
            raise ValueError(
                f"expected {count} {name} radii of at least 0, got {tuple(radius.shape)}, of which "
                f"{int((~(radius >= 0)).sum())} are negative or NaN"
            )
    with full_precision():
        return _count_kinds((real, fake), (real_radius.double(), fake_radius.double()), closed)


def neighbour_balls(real: Tensor, fake: Tensor, k: int, closed: bool = False) -> BallCounts:
    """Return which vectors lie in which balls that reach to the k-th nearest vector of the same set.

    The same as :func:`count_balls` with the radii of
    :func:`~mmcgan.neighbours.nearest.kth_neighbour_distances`, but vectors are prepared once.

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
    with full_precision():
        if any(repeated_rows(part, MOST_EQUAL) is not None for part in (real, fake)):
            radii = [kth_neighbour_distances(part, k) for part in (real, fake)]
            return _count_kinds((real, fake), (radii[0], radii[1]), closed)
        sets = point_sets(real, fake)
        radii = [
            kth_of_points(points if points.is_centred() else point_sets(points.features)[0], k)
            for points in sets
        ]
        return _count(PairBounds(*sets), (radii[0], radii[1]), closed)


def _count_kinds(sets: tuple[Tensor, Tensor], radius: tuple[Tensor, Tensor], closed: bool) -> BallCounts:
    """Return the counts of :func:`count_balls`; many equal vectors with equal radii are looked at once."""
    kinds = [weighted_rows(part, size, MOST_EQUAL) for part, size in zip(sets, radius, strict=True)]
    every = [torch.arange(len(part), device=part.device) for part in sets]
    first, kind = (
        [found[i] if found else own for found, own in zip(kinds, every, strict=True)] for i in (0, 1)
    )
    chosen = [
        part if found is None else part[rows] for part, found, rows in zip(sets, kinds, first, strict=True)
    ]
    radii = radius[0][first[0]], radius[1][first[1]]
    weight = torch.bincount(kind[0])
    counts = _count(PairBounds(*point_sets(*chosen)), radii, closed, weight)
    return BallCounts(counts.real_balls[kind[1]], counts.real_hit[kind[0]], counts.in_fake_ball[kind[0]])


def _count(
    bounds: PairBounds, radius: tuple[Tensor, Tensor], closed: bool, weight: Tensor | None = None
) -> BallCounts:
    """Return the counts of :func:`count_balls`, in one pass over the blocks.

    Args:
        bounds: of real and fake points.
        radius: of real and fake balls.
        closed: whether a ball contains its surface.
        weight: int64 (N,), how many points each real point stands for; 1 by default.
    """
    real, fake = bounds.first.features, bounds.second.features
    counts = BallCounts(
        torch.zeros(len(fake), dtype=torch.int64, device=fake.device),
        torch.zeros(len(real), dtype=torch.bool, device=real.device),
        torch.zeros(len(real), dtype=torch.bool, device=real.device),
    )
    precise = bounds.precise()
    for rows in blocks(len(real), ROW_BLOCK):
        for columns in blocks(len(fake), COLUMN_BLOCK):
            block = _Block(counts, (rows, columns), radius, closed, weight)
            if not block.decide(bounds, crowded=False):
                block.decide(precise, crowded=True)
    return counts


@dataclass
class _Block:
    """The pairs of one block and the radii that they are compared with."""

    counts: BallCounts
    place: tuple[slice, slice]
    radius: tuple[Tensor, Tensor]
    closed: bool
    weight: Tensor | None = None

    def decide(self, bounds: PairBounds, crowded: bool) -> bool:
        """Add the pairs of this block; return False, with nothing added, if the bounds leave many open.

        Args:
            bounds: of the two sets.
            crowded: measure all the same.
        """
        low = bounds.dense(*self.place)
        reach = [bounds.reach(r[part]) for r, part in zip(self.radius, self.place, strict=True)]
        near = low <= reach[0][:, None]
        if not self.counts.in_fake_ball[self.place[0]].all():
            near |= low <= reach[1]
        row, column = sparse_pairs(near)
        low = low[row, column]
        row, column = row + self.place[0].start, column + self.place[1].start
        inside, left = self._sort_out(bounds, row, column, bounds.interval(low, row, column))
        if not crowded and len(left) > CROWDED * near.numel():
            return False
        if len(left) and bounds.first.dtype is not torch.float64:
            close = bounds.close(row[left], column[left])
            nearer, still = self._sort_out(bounds, row[left], column[left], close)
            inside[0][left], inside[1][left] = nearer
            left = left[still]
        for side in inside:
            side[left] = False  # decided below
        self._add(row, column, inside)
        near.zero_()
        near[row[left] - self.place[0].start, column[left] - self.place[1].start] = True
        self._measure(bounds, near)
        return True

    def _sort_out(
        self, bounds: PairBounds, row: Tensor, column: Tensor, interval: tuple[Tensor, Tensor]
    ) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Return which pairs lie surely in the real and in the fake ball, and the pairs left open."""
        lower, upper = interval
        around = [bounds.around(r[i]) for r, i in zip(self.radius, (row, column), strict=True)]
        in_real, in_fake = (upper < below for below, _ in around)
        # one fake ball is enough: the others need no further look
        found = self.counts.in_fake_ball.index_fill(0, row[in_fake], True)
        open_real, open_fake = (
            ~inside & (lower <= above) for inside, (_, above) in zip((in_real, in_fake), around, strict=True)
        )
        left = open_real | (open_fake & ~found[row])
        return (in_real, in_fake), left.nonzero().flatten()

    def _add(self, row: Tensor, column: Tensor, inside: tuple[Tensor, Tensor]) -> None:
        counts = self.counts
        if self.weight is None:
            found = torch.bincount(column[inside[0]], minlength=len(counts.real_balls))
            counts.real_balls.add_(found)
        else:
            counts.real_balls.index_add_(0, column[inside[0]], self.weight[row[inside[0]]])
        counts.real_hit[row[inside[0]]] = True
        counts.in_fake_ball[row[inside[1]]] = True

    def _measure(self, bounds: PairBounds, near: Tensor) -> None:
        """Add the pairs that are left, by their distances in float64."""
        every = [torch.arange(p.start, p.stop, device=near.device) for p in self.place]
        row, column, distance = measure(
            bounds.first.features, bounds.second.features, every[0], every[1], near
        )
        row, column = every[0][row], every[1][column]
        compare = torch.le if self.closed else torch.lt
        inside = compare(distance, self.radius[0][row]), compare(distance, self.radius[1][column])
        self._add(row, column, inside)
