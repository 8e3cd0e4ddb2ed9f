"""Gaussian statistics of features, gathered in a stream, and the Fréchet distance between two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from mmengine.dist import all_reduce
from scipy.linalg.lapack import dpstrf
from torch import Tensor


@dataclass(frozen=True)
class GaussianStatistics:
    """Mean and covariance of a set of feature vectors.

    Attributes:
        mean: float64 (F,).
        covariance: float64 (F, F), divided by ``count - ddof``.
        count: number of vectors.
    """

    mean: Tensor
    covariance: Tensor
    count: int


class StreamingMoments:
    """Exact mean and covariance of feature batches in float64; memory does not grow with the count.

    Batches are merged by the pairwise update of Chan, Golub and LeVeque (1979), which does not lose
    digits when the mean is large compared with the spread, as the plain sum of squares does.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Tensor | None = None
        self._scatter: Tensor | None = None

    def update(self, features: Tensor) -> None:
        """Add ``features`` (N, F).

        Raises:
            ValueError: not a matrix, another F than before, or a value that is not finite.
        """
        if features.ndim != 2:
            raise ValueError(f"features must be (N, F), got shape {tuple(features.shape)}")
        if not torch.isfinite(features).all():
            bad = int((~torch.isfinite(features)).any(dim=1).sum())
            raise ValueError(f"features of {bad} of {len(features)} images are NaN or infinite")
        if self._mean is not None and features.shape[1] != len(self._mean):
            raise ValueError(f"features have {features.shape[1]} columns, earlier batches {len(self._mean)}")
        if not len(features):
            return
        rows = features.detach().to(torch.float64)
        mean = rows.mean(dim=0)
        centred = rows - mean
        self._absorb(len(rows), mean, centred.T @ centred)

    def _absorb(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        """Merge a group of ``count`` vectors with its ``mean`` and scatter matrix."""
        if self._mean is None or self._scatter is None:
            self.count, self._mean, self._scatter = count, mean, scatter
            return
        total = self.count + count
        gap = mean - self._mean
        self._mean = self._mean + gap * (count / total)
        self._scatter = self._scatter + scatter + torch.outer(gap, gap) * (self.count * count / total)
        self.count = total

    def merge(self) -> None:
        """Combine the moments of all ranks; every rank then holds the result."""
        count = torch.tensor(float(self.count), dtype=torch.float64)
        width = torch.tensor(0 if self._mean is None else len(self._mean))
        all_reduce(count, "sum")
        all_reduce(width, "max")
        if not int(count):
            return
        mean = self._mean if self._mean is not None else torch.zeros(int(width), dtype=torch.float64)
        scatter = self._scatter if self._scatter is not None else torch.zeros_like(torch.outer(mean, mean))
        weighted = mean * self.count
        all_reduce(weighted, "sum")
        total_mean = weighted / count.to(mean.device)
        gap = mean - total_mean
        scatter = scatter + self.count * torch.outer(gap, gap)
        all_reduce(scatter, "sum")
        self.count, self._mean, self._scatter = int(count), total_mean, scatter

    def compute(self, ddof: int = 1) -> GaussianStatistics:
        """Return the statistics; the covariance is divided by ``count - ddof``.

        Raises:
            ValueError: not more than ``ddof`` vectors were added.
        """
        if self._mean is None or self._scatter is None or self.count <= ddof:
            raise ValueError(f"a covariance needs more than {ddof} feature vectors, got {self.count}")
        return GaussianStatistics(self._mean, self._scatter / (self.count - ddof), self.count)


def _square_root_factor(covariance: Tensor) -> Tensor:
    """Return B (F, r) with B Bᵀ = covariance; directions below rounding error are left out."""
    # Near a singular matrix, the last columns of Cholesky's factor are rounding errors that no longer
    # look small.
    factor, failed = torch.linalg.cholesky_ex(covariance)
    pivots = factor.diagonal().square()
    if not failed and pivots.min() > 1e-10 * pivots.max():
        return factor
    # With pivots, it can stop there, and still takes a third of the time of an eigendecomposition.
    triangle, pivot, rank, _ = dpstrf(covariance.cpu().numpy(), lower=1)
    factor = torch.from_numpy(triangle).tril()[:, :rank].to(covariance.device)
    order = torch.from_numpy(pivot - 1).long().to(factor.device)
    return torch.empty_like(factor).index_copy_(0, order, factor)


def feature_frechet_distance(features1: Tensor, features2: Tensor) -> float:
    """Return the Fréchet distance of Gaussians fitted to two sets of feature vectors (ddof 1).

    Equal to :func:`frechet_distance` of their statistics, in float64. With fewer vectors than
    dimensions it takes no covariance at all: the centred vectors are a root of it already.

    Args:
        features1: (N, F), N at least 2.
        features2: (M, F), M at least 2.

    Raises:
        ValueError: not two matrices of one width, fewer than two vectors, or a value that is not finite.
    """
    parts = [torch.as_tensor(value).to(torch.float64) for value in (features1, features2)]
    shapes = [tuple(value.shape) for value in parts]
    if [len(shape) for shape in shapes] != [2, 2] or shapes[0][1] != shapes[1][1]:
        raise ValueError(f"expected features (N, F) and (M, F), got {shapes}")
    for shape, value in zip(shapes, parts, strict=True):
        if shape[0] < 2:
            raise ValueError(f"a covariance needs more than 1 feature vectors, got {shape[0]}")
        if not torch.isfinite(value).all():
            raise ValueError("features contain NaN or infinite values")
    gap = (parts[0].mean(dim=0) - parts[1].mean(dim=0)).square().sum()
    left, right = (_root_of_features(value) for value in parts)
    return _distance_from_roots(float(gap + left.square().sum() + right.square().sum()), left, right)


def _distance_from_roots(separate: float, left: Tensor, right: Tensor) -> float:
    """Return ``separate`` - 2 Σ singular values of Blᵀ Br, without losing digits of a small distance."""
    product = left.T @ right
    if not product.numel():
        return max(separate, 0.0)
    # Eigenvalues of the square take a quarter of the time, but err by about eps of the largest, which
    # the root magnifies where a singular value is small: fine unless that shows in the distance.
    wide = product.shape[0] > product.shape[1]
    values = torch.linalg.eigvalsh(product.T @ product if wide else product @ product.T)
    noise = 8 * torch.finfo(values.dtype).eps * values[-1].clamp_min(0)
    roots = values.clamp_min(0).sqrt()
    error = (noise / (2 * values.clamp_min(float(noise)).sqrt().clamp_min(1e-300))).sum()
    distance = separate - 2 * float(roots.sum())
    if 2 * float(error) > 1e-8 * distance:
        distance = separate - 2 * float(torch.linalg.svdvals(product).sum())
    if not math.isfinite(distance):
        raise ValueError("features are so large that their Fréchet distance is no finite number")
    return max(distance, 0.0)


def _root_of_features(features: Tensor) -> Tensor:
    """Return B (F, r) with B Bᵀ the covariance of ``features`` (N, F), r <= min(N, F)."""
    centred = (features - features.mean(dim=0)) / (len(features) - 1) ** 0.5
    if len(features) <= features.shape[1]:
        return centred.T
    return _square_root_factor(centred.T @ centred)


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Return the Fréchet distance of two Gaussians, |m1 - m2|² + tr(S1 + S2 - 2 (S1 S2)^½).

    Heusel et al. 2017 (FID), equation 6; Dowson and Landau 1982. Computed in float64.

    Args:
        mean1: (F,); anything ``torch.as_tensor`` takes, as for the others.
        cov1: symmetric positive semi-definite (F, F).
        mean2: (F,).
        cov2: symmetric positive semi-definite (F, F).

    Raises:
        ValueError: shapes that do not belong together, or a value that is not finite.

    Examples:
        >>> import torch
        >>> zero, one, same = torch.zeros(2), torch.ones(2), torch.eye(2)
        >>> frechet_distance(zero, same, one, same)
        2.0
    """
    m1, s1, m2, s2 = (torch.as_tensor(value, dtype=torch.float64) for value in (mean1, cov1, mean2, cov2))
    size = m1.numel()
    shapes = [tuple(value.shape) for value in (m1, s1, m2, s2)]
    if shapes != [(size,), (size, size)] * 2:
        raise ValueError(f"expected shapes (F,), (F, F), (F,), (F, F), got {shapes}")
    for name, value in zip(("mean1", "cov1", "mean2", "cov2"), (m1, s1, m2, s2), strict=True):
        if not torch.isfinite(value).all():
            raise ValueError(f"{name} contains NaN or infinite values")
    gap = (m1 - m2).square().sum()
    separate = float(gap + s1.trace() + s2.trace())
    return _distance_from_roots(separate, _square_root_factor(s1), _square_root_factor(s2))
