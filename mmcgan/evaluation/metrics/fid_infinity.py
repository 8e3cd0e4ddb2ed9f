"""Extrapolation of a figure that is biased by the number of images to infinitely many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from mmcgan.evaluation.metrics.collected import CollectedMetric
from mmcgan.evaluation.statistics.frechet import StreamingMoments, frechet_distance
from mmcgan.random import make_generator
from mmcgan.registry import GENERATION_METRICS


def extrapolate(sizes: Sequence[int], figures: Sequence[float]) -> tuple[float, float]:
    """Return intercept and slope of the least-squares line of a figure over 1 / N.

    Chong and Forsyth 2020, section 3: the bias of FID and of the Inception Score is nearly linear in
    1/N, so the intercept is the figure of infinitely many images.

    Raises:
        ValueError: fewer than two different sizes, or lists of different length.
    """
    if len(sizes) != len(figures) or len(set(sizes)) < 2:
        raise ValueError(f"an extrapolation needs figures at two or more sizes, got sizes {list(sizes)}")
    inverse = 1 / torch.tensor(sizes, dtype=torch.float64)
    value = torch.tensor(figures, dtype=torch.float64)
    centred = inverse - inverse.mean()
    slope = (centred * (value - value.mean())).sum() / centred.square().sum()
    return float(value.mean() - slope * inverse.mean()), float(slope)


def subset_sizes(count: int, smallest: int, points: int) -> list[int]:
    """Return ``points`` evenly spaced sizes from ``smallest`` to ``count``.

    Raises:
        ValueError: fewer than two points, or ``smallest`` not below ``count``.
    """
    if points < 2 or not 2 <= smallest < count:
        raise ValueError(
            f"FIDInfinity: cannot take {points} sizes from {smallest} to {count} images; generate more "
            "images, or lower smallest"
        )
    return torch.linspace(smallest, count, points, dtype=torch.float64).round().long().tolist()


@GENERATION_METRICS.register_module()
class FIDInfinity(CollectedMetric):
    """FID extrapolated to infinitely many generated images (Chong and Forsyth 2020).

    FIDs of random subsets of the generated images against all real ones, then a line over 1/N. The
    bias of the real side stays. At 2048 features a point costs as much as an FID.

    Args:
        smallest: size of the smallest subset; 5000 in the paper.
        points: number of sizes; 15 in the paper.
        seed: decides the subsets.

    Raises:
        ValueError: a number is out of range.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"fid-infinity": {}}
    suite: ClassVar[tuple[str, ...]] = ("fid-infinity",)
    better: ClassVar[Mapping[str, str]] = {"fid_infinity": "less"}
    needs_distinct: ClassVar[bool] = True
    figures = ("fid_infinity",)

    def __init__(self, smallest: int = 5000, points: int = 15, seed: int = 0) -> None:
        super().__init__(None, seed)
        subset_sizes(smallest + 1, smallest, points)
        self.smallest = smallest
        self.least_generated, self.least_real = smallest + 1, 2
        self.points = points
        self._curve: list[tuple[int, float]] = []

    def compute(self) -> dict[str, float]:
        """Return ``fid_infinity``.

        Raises:
            ValueError: not more images than ``smallest``.
        """
        if self._reference is None:
            raise RuntimeError("FIDInfinity.prepare() must be called with a reference first")
        features = self.generated().features
        real = self._reference.statistics()
        sizes = subset_sizes(len(features), self.smallest, self.points)
        generator = make_generator(self.seed, "fid_infinity")
        self._curve = []
        for size in sizes:
            rows = torch.randperm(len(features), generator=generator)[:size]
            mean, covariance = _moments(features[rows])
            figure = frechet_distance(mean, covariance, real.mean.cpu(), real.covariance.cpu())
            self._curve.append((size, figure))
        intercept, _ = extrapolate(sizes, [figure for _, figure in self._curve])
        return {"fid_infinity": intercept}

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"smallest": self.smallest, "points": self.points, "seed": self.seed, "ddof": 1}

    def details(self) -> dict[str, Any]:
        """Return the FID at each size."""
        return {"fid_by_size": {str(size): figure for size, figure in self._curve}}


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    moments = StreamingMoments()
    for part in features.split(4096):
        moments.update(part)
    statistics = moments.compute()
    return statistics.mean, statistics.covariance
