"""Bounds of squared distances between two large sets of vectors, by blocks of low-precision products.

A product in bfloat16 or float32 gives every squared distance with an error that is bounded, so it decides
nearly every comparison. What it leaves open is measured again (:mod:`mmcgan.neighbours.pairs`). Memory is
that of one block.

Where the bounds come from. All vectors are scaled by one power of two, which is exact and puts every element
below 4, and a common center is subtracted, so that large offsets do not eat the digits. Let x̃ be the rounded
x, with |x̃ - x| <= c|x| (measured, for each set), u the unit roundoff of the sum, v that of the result:

- rounding the factors changes x·y by at most (2c + c²)|x||y| (Cauchy-Schwarz),
- adding F products by at most γ_F(u) (1 + c)²|x||y| (:mod:`mmcgan.neighbours.products`),
- rounding the result by at most v (1 + c)²(1 + γ_F(u))|x||y|,
- and 2|x||y| <= s = |x|² + |y|².

So |x|² + |y|² - 2x·y, the squared distance, differs from what is computed by at most e·s, e being the sum of
the three factors and of a few roundings u for the two additions, plus a constant for what is smaller than the
least normal number, which units may flush to zero. Nothing is clamped: the lower bound may be negative.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.neighbours.pairs import PAIR_ELEMENTS, pair_distances
from mmcgan.neighbours.products import CUT_OFF, UNIT_ROUNDOFF, gamma, product_dtype
from mmcgan.neighbours.selection import blocks

SQUARES = 2.0**-126  # least normal float32
OUTLIERS = 8.0  # a mean square this many times the median square is that of a few outliers
RECENTRINGS = 3


class PointSet:
    """Feature vectors prepared for products in ``dtype``, with what rounding may have changed.

    Args:
        features: (N, F); kept as they are for exact distances.
        center: float64 (F,), of the scaled vectors: subtracted before rounding, which makes the rounding
            errors small. Two sets that are to be compared need the same one.
        scale: power of two, after which no element is larger than 4; the same for two sets.
        dtype: of the products.

    Attributes:
        squared_norm: float64 (N,), |scale x - center|².
        error: bound on |rounded x - x| / |x| over all vectors, but for what is lost below ``SQUARES``.
    """

    def __init__(self, features: Tensor, center: Tensor, scale: float, dtype: torch.dtype) -> None:
        self.features = features
        self.center = center
        self.scale = scale
        self.dtype = dtype
        self.squared_norm = features.new_empty(len(features), dtype=torch.float64)
        self._low: Tensor | None = torch.empty_like(features, dtype=dtype)
        size = max(1, PAIR_ELEMENTS // max(1, features.shape[1]))
        self.error = max(self._prepare(part) for part in blocks(len(features), size))

    def _prepare(self, part: slice) -> float:
        """Store rounded rows and squared norms; return the largest relative rounding error."""
        assert self._low is not None
        centred = self._centred(part)
        squared = torch.linalg.vecdot(centred, centred)
        self.squared_norm[part] = squared
        self._low[part] = centred
        lost = centred.sub_(self._low[part])
        excess = torch.linalg.vecdot(lost, lost).sqrt_().sub_(SQUARES * math.sqrt(lost.shape[1]))
        share = excess.clamp_min_(0) / squared.sqrt_().clamp_min_(torch.finfo(torch.float64).tiny)
        return 1.001 * float(share.max())

    def _centred(self, index: slice | Tensor) -> Tensor:
        return _scaled(self.features[index], self.scale).sub_(self.center)

    def is_centred(self) -> bool:
        """Return whether the center is near enough for distances within the set."""
        mean = _mean([self.features], self.scale)
        return float((mean - self.center).square().sum()) <= 0.25 * float(self.squared_norm.mean())

    def precise(self) -> PointSet:
        """Return the same vectors for products in float64, which are made anew for every block."""
        twin = copy.copy(self)
        twin.dtype, twin.error, twin._low = torch.float64, 0.0, None
        return twin

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, index: slice | Tensor) -> Tensor:
        """Return rounded, scaled and centred vectors."""
        return self._centred(index) if self._low is None else self._low[index]


def point_sets(*features: Tensor) -> list[PointSet]:
    """Prepare sets of features to be compared with each other, around a common center.

    Any center is right; one near most vectors makes rounding errors small. That is the mean of the means,
    unless a few outliers have drawn it away: then the mean of the others.
    """
    dtype = product_dtype(features[0].device)
    scale = _scale(features)
    center = _mean(features, scale)
    for _ in range(RECENTRINGS):
        sets = [PointSet(part, center, scale, dtype) for part in features]
        squared = torch.cat([part.squared_norm for part in sets])
        limit = OUTLIERS * squared.median()
        if squared.mean() <= limit:
            break
        kept = [part.features[part.squared_norm <= limit] for part in sets]
        center = _mean([part for part in kept if len(part)], scale)
    return sets


def _scale(features: tuple[Tensor, ...]) -> float:
    """Return the power of two that brings the largest element of all sets near 1."""
    largest = max(float(torch.stack(part.aminmax()).abs().max()) for part in features)
    return 2.0 ** -max(-1000, min(1022, math.frexp(largest)[1])) if largest else 1.0


def _scaled(features: Tensor, scale: float) -> Tensor:
    """Return a copy in float64, scaled."""
    return features.to(torch.float64, copy=True).mul_(scale)


def _mean(features: tuple[Tensor, ...] | list[Tensor], scale: float) -> Tensor:
    """Return the mean of the means of some sets, scaled, float64 (F,)."""
    size = max(1, PAIR_ELEMENTS // max(1, features[0].shape[1]))
    means = [
        torch.stack([_scaled(p, scale).sum(dim=0) for p in part.split(size)]).sum(dim=0) / len(part)
        for part in features
    ]
    return torch.stack(means).mean(dim=0)


class PairBounds:
    """Bounds of squared distances between two sets, in units of the sets' ``scale``, squared.

    A dense matrix holds only a number ``low`` for each pair: d² lies between ``low - floor`` and
    ``low + 2 e s + floor``; see the head of this file.

    Args:
        first, second: prepared around the same center with the same scale in the same precision.

    Attributes:
        slack: e.
        floor: what may be lost below the least normal number.
        tolerance: relative error, at most, of a squared distance measured in float64.
    """

    def __init__(self, first: PointSet, second: PointSet) -> None:
        self.first = first
        self.second = second
        self.wide = torch.float64 if first.dtype is torch.float64 else torch.float32
        width, exact = first.features.shape[1], UNIT_ROUNDOFF[torch.float64]
        unit = UNIT_ROUNDOFF[self.wide]
        unit *= CUT_OFF if first.features.is_cuda and self.wide is torch.float32 else 1
        error, summing = max(first.error, second.error), gamma(width + 2, unit)
        result = UNIT_ROUNDOFF[first.dtype] if first.dtype is not self.wide else 0.0
        grown = (1 + error) ** 2
        self.tolerance = gamma(2 * width + 32, exact)
        self.slack = 1.001 * (2 * error + error**2 + grown * (summing + result * (1 + summing)))
        self.slack += 16 * unit + self.tolerance
        self.floor = (width + 1) * (2.0**-118 if self.wide is torch.float32 else 2.0**-1000)
        self.terms = tuple(part.squared_norm * (1 - self.slack) for part in (first, second))

    def precise(self) -> PairBounds:
        """Return bounds from products in float64."""
        return PairBounds(self.first.precise(), self.second.precise())

    def dense(self, rows: slice | Tensor, columns: slice | Tensor) -> Tensor:
        """Return ``low`` of a block, (n, m)."""
        low = F.linear(self.first.rows(rows) * -2, self.second.rows(columns)).to(self.wide)
        low.add_(self.terms[1][columns].to(self.wide))
        return low.add_(self.terms[0][rows].to(self.wide)[:, None])

    def interval(self, low: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Return lower and upper bounds of d², float64, from ``low`` of these pairs (any shape)."""
        low = low.double()
        sums = self.first.squared_norm[rows] + self.second.squared_norm[columns]
        return low - self.floor, low + 2 * self.slack * sums + self.floor

    def around(self, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the square of a distance measured in float64 surely reaches and does not exceed.

        In the units of the bounds. Above the least float64 numbers the measured distance is right to
        ``tolerance``, there to one step.
        """
        scale, step = self.first.scale, 2.0**-1074
        below = ((distance - step).clamp_min(0) * scale).square() * (1 - 2 * self.tolerance)
        return below, ((distance + step) * scale).square() * (1 + 2 * self.tolerance)

    def reach(self, distance: Tensor) -> Tensor:
        """Return what ``low`` is at most for every pair that is as near as ``distance``, in its type."""
        limit = self.around(distance)[1] + self.floor
        if self.wide is torch.float32:
            limit = limit * (1 + 2.0**-22) + SQUARES
        return limit.to(self.wide)

    def close(self, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Return bounds of d², float64, from differences taken and summed in float32.

        A difference has a relative error u, its square 3u, and F of them are added: γ_(F+3) in all, plus
        what squares lose below the least normal number. Nothing is known of what overflows.
        """
        first, second = self.first.features, self.second.features
        if first.dtype is not torch.float32 or second.dtype is not torch.float32:
            return self.around(pair_distances(first, second, rows, columns))
        parts, size = [], max(1, PAIR_ELEMENTS // max(1, first.shape[1]))
        for r, c in zip(rows.split(size), columns.split(size), strict=True):
            gap = first.index_select(0, r).sub_(second.index_select(0, c))  # twice as fast as first[r]
            parts.append(torch.linalg.vecdot(gap, gap))
        squared = torch.cat(parts).double() if parts else self.first.squared_norm[:0]
        error, lost = gamma(first.shape[1] + 8, UNIT_ROUNDOFF[torch.float32]), first.shape[1] * 2 * SQUARES
        unit = self.first.scale**2
        lower = torch.where(torch.isinf(squared), -torch.inf, squared * (1 - error) - lost)
        return lower * unit, (squared * (1 + error) + lost) * unit
