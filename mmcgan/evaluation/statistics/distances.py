"""Distances between two large sets of feature vectors, by blocks of low-precision products.

A product in bfloat16 or float32 gives every squared distance with an error that is bounded, so it
decides nearly every comparison. The few pairs that it leaves open are measured again, element by
element in float64. Results are therefore those of exact distances; memory is that of one block.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

ROW_BLOCK = 2048  # rows and columns of one product
COLUMN_BLOCK = 2048
PAIR_BLOCK = 64  # pairs whose difference is taken at once
UNIT_ROUNDOFF = {torch.bfloat16: 2.0**-8, torch.float32: 2.0**-24, torch.float64: 2.0**-53}


def check_features(features: Tensor, name: str) -> None:
    """Refuse anything but finite floating-point vectors (N, F), N at least 1.

    Raises:
        ValueError: the message names the set and says how many vectors are bad.
    """
    if features.ndim != 2 or not features.is_floating_point():
        raise ValueError(
            f"{name} features must be floating point (N, F), got {features.dtype} {tuple(features.shape)}"
        )
    if not len(features):
        raise ValueError(f"there are no {name} features")
    if torch.isfinite(features.sum()):
        return  # a value that is not finite would have made the sum so, too
    finite = torch.isfinite(features).all(dim=1)
    if not finite.all():
        raise ValueError(
            f"{name} features of {int((~finite).sum())} of {len(features)} images are NaN or infinite"
        )


def check_pair(real: Tensor, fake: Tensor) -> None:
    """Refuse two sets of features that cannot be compared.

    Raises:
        ValueError: see :func:`check_features`; or another dimension.
    """
    check_features(real, "real")
    check_features(fake, "fake")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"real features have {real.shape[1]} dimensions, fake features {fake.shape[1]}: "
            "take both from the same extractor"
        )


def product_dtype(device: torch.device) -> torch.dtype:
    """Return the precision whose products are fastest: bfloat16 with matrix units, else float32."""
    if device.type == "cuda":
        return torch.bfloat16
    has_tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return torch.bfloat16 if device.type == "cpu" and has_tiles() else torch.float32


class PointSet:
    """Feature vectors prepared for products in ``dtype``, with what rounding may have changed.

    Args:
        features: (N, F); kept as they are for exact distances.
        center: (F,), subtracted before rounding, which makes the rounding errors small. Two sets that
            are to be compared need the same one.
        dtype: of the products.
        offset: |mean - center|².

    Attributes:
        squared_norm: float64 (N,), |x - center|².
        error: bound on |rounded x - x| / |x| over all vectors.
    """

    def __init__(self, features: Tensor, center: Tensor, dtype: torch.dtype, offset: float = 0.0) -> None:
        self.features = features
        self.center = center
        self.dtype = dtype
        self.offset = offset
        self.squared_norm = features.new_empty(len(features), dtype=torch.float64)
        self._low: Tensor | None = torch.empty_like(features, dtype=dtype)
        self.error = max(self._prepare(part) for part in blocks(len(features), PAIR_BLOCK))

    def _prepare(self, part: slice) -> float:
        """Store rounded rows and squared norms; return the largest relative rounding error."""
        assert self._low is not None
        centred = self.features[part].double() - self.center
        squared = torch.linalg.vecdot(centred, centred)
        self.squared_norm[part] = squared
        self._low[part] = centred
        lost = centred.sub_(self._low[part])
        share = torch.linalg.vecdot(lost, lost) / squared.clamp_min(torch.finfo(torch.float64).tiny)
        return float(share.max().sqrt())

    def is_centred(self) -> bool:
        """Return whether the center is near enough for distances within the set."""
        return self.offset <= 0.25 * float(self.squared_norm.mean())

    def precise(self) -> PointSet:
        """Return the same vectors for products in float64, which are made anew for every block."""
        twin = copy.copy(self)
        twin.dtype, twin.error, twin._low = torch.float64, UNIT_ROUNDOFF[torch.float64], None
        return twin

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, index: slice | Tensor) -> Tensor:
        """Return rounded, centred vectors."""
        return self.features[index].double() - self.center if self._low is None else self._low[index]


def point_sets(*features: Tensor) -> list[PointSet]:
    """Prepare sets of features to be compared with each other, around the mean of their means."""
    dtype = product_dtype(features[0].device)
    # any center is right; one near the means makes rounding errors small
    means = [value.mean(dim=0).double() for value in features]
    center = torch.stack(means).mean(dim=0)
    return [
        PointSet(value, center, dtype, float((mean - center).square().sum()))
        for value, mean in zip(features, means, strict=True)
    ]


class PairBounds:
    """Bounds of squared distances between two sets from low-precision products.

    With relative input errors c, ``2|x̃·ỹ - x·y| <= 2 (2c + c²)|x||y| <= (2c + c²)(|x|² + |y|²)``; the
    accumulation over F terms adds at most F unit roundoffs, and rounding the product u times itself.
    A dense matrix holds only the scaled lower bound ``low`` with ``d² >= scale * low``.

    Args:
        first, second: prepared around the same center in the same precision.
    """

    def __init__(self, first: PointSet, second: PointSet) -> None:
        self.first = first
        self.second = second
        self.wide = torch.float64 if first.dtype is torch.float64 else torch.float32
        error, unit = max(first.error, second.error), UNIT_ROUNDOFF[self.wide]
        width = first.features.shape[1]
        self.slack = 1.1 * (2 * error + error**2 + (1 + error) ** 2 * width * unit) + 32 * unit
        self.rounding = 1.1 * UNIT_ROUNDOFF[first.dtype]
        self.scale = 1 + self.rounding
        self.terms = tuple(part.squared_norm * ((1 - self.slack) / self.scale) for part in (first, second))

    def precise(self) -> PairBounds:
        """Return bounds from products in float64."""
        return PairBounds(self.first.precise(), self.second.precise())

    def dense(self, rows: slice | Tensor, columns: slice) -> Tensor:
        """Return ``low`` of a block, (n, m)."""
        product = F.linear(self.first.rows(rows) * -2, self.second.rows(columns))
        # Beyond the orthogonal the lower bound is simply |x|² + |y|²: nothing near is lost by it.
        low = product.clamp_max_(0).to(self.wide)
        low.add_(self.terms[1][columns].to(self.wide))
        return low.add_(self.terms[0][rows].to(self.wide)[:, None])

    def interval(self, low: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Return lower and upper bounds of d², float64, from ``low`` of these pairs (any shape)."""
        low = low.double()
        sums = self.first.squared_norm[rows] + self.second.squared_norm[columns]
        product = low - self.terms[0][rows] - self.terms[1][columns]
        slack = 2 * self.slack * sums
        lower = low * self.scale
        upper = lower + slack - 2 * self.rounding * product
        # A product that was clamped says nothing about the other side.
        unknown = product >= -1e-6 * sums
        return lower, torch.where(unknown, torch.inf, upper)


def close_distances(bounds: PairBounds, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Return bounds of d², float64, from differences taken and summed in float32."""
    first, second = bounds.first.features, bounds.second.features
    if first.dtype is not torch.float32:
        exact = exact_distances(first, second, rows, columns).double().square()
        return exact * (1 - 1e-12), exact * (1 + 1e-12)
    parts = []
    for r, c in zip(rows.split(PAIR_BLOCK), columns.split(PAIR_BLOCK), strict=True):
        gap = first.index_select(0, r).sub_(second.index_select(0, c))  # twice as fast as first[r]
        parts.append(torch.linalg.vecdot(gap, gap))
    squared = torch.cat(parts).double() if parts else bounds.first.squared_norm[:0]
    error = (first.shape[1] + 8) * UNIT_ROUNDOFF[torch.float32]
    return squared * (1 - error), squared * (1 + error)


def exact_distances(first: Tensor, second: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return |first[rows] - second[columns]|, summed in float64, in the features' precision.

    Rounding to float32 makes distances equal that differ by rounding only, as where an image is in
    both sets; the ``prdc`` package does the same.
    """
    parts = []
    for r, c in zip(rows.split(PAIR_BLOCK), columns.split(PAIR_BLOCK), strict=True):
        gap = first.index_select(0, r).double().sub_(second.index_select(0, c).double())
        parts.append(gap.square_().sum(dim=1).sqrt_())
    found = torch.cat(parts) if parts else first.new_zeros(0, dtype=torch.float64)
    return found.to(torch.promote_types(first.dtype, second.dtype))


def smallest(values: Tensor, count: int, group: int = 8) -> tuple[Tensor, Tensor]:
    """Return the ``count`` smallest values of each row, ascending, and their columns.

    The smallest ``count`` elements lie in the ``count`` groups with the smallest minima, so only a
    part of the row is ever sorted.
    """
    values = values.contiguous()  # a transposed block is slow to look through
    width = values.shape[1] // group
    if width < 2 * count:
        return values.topk(min(count, values.shape[1]), dim=1, largest=False)
    minima = values[:, : width * group].unflatten(1, (group, width)).amin(dim=1)
    best = minima.topk(count, dim=1, largest=False, sorted=False).indices
    offsets = torch.arange(group, device=values.device) * width
    columns = (best[:, :, None] + offsets).flatten(1)
    rest = torch.arange(width * group, values.shape[1], device=values.device)
    columns = torch.cat([columns, rest.expand(len(values), -1)], dim=1)
    found, position = values.gather(1, columns).topk(count, dim=1, largest=False)
    return found, columns.gather(1, position)


def blocks(count: int, size: int) -> Iterator[slice]:
    """Cut ``range(count)`` into consecutive slices of at most ``size``."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def sparse_pairs(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the true elements of ``mask`` (n, m), which are few."""
    if mask.shape[1] % 8 or not mask.is_contiguous():
        rows, columns = mask.nonzero(as_tuple=True)
        return rows, columns
    rows, packs = mask.view(torch.int64).nonzero(as_tuple=True)  # eight elements at a look
    columns = packs[:, None] * 8 + torch.arange(8, device=mask.device)
    chosen = mask[rows[:, None], columns]
    return rows[:, None].expand_as(columns)[chosen], columns[chosen]
