"""Precision and recall of distributions over clusters of features (Sajjadi et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from mmcgan.evaluation.metrics.collected import CollectedMetric
from mmcgan.neighbours.checks import check_pair
from mmcgan.random import make_generator
from mmcgan.registry import GENERATION_METRICS


def precision_recall_curve(real: Tensor, fake: Tensor, angles: int = 1001) -> tuple[Tensor, Tensor]:
    """Return precision and recall of two histograms along slopes between 0 and infinity.

    Sajjadi et al. 2018, equations 7-8: α(λ) = Σ min(λ p, q), β(λ) = α(λ) / λ, where p is real and q
    generated.

    Args:
        real: (B,), sums to 1.
        fake: (B,), sums to 1.
        angles: number of slopes λ = tan(angle), angles evenly spaced within (0, π/2).

    Returns:
        precision and recall, each float64 (angles,) in 0..1.

    Raises:
        ValueError: not two histograms over the same bins, or fewer than 3 angles.
    """
    p, q = torch.as_tensor(real).double(), torch.as_tensor(fake).double()
    if p.ndim != 1 or p.shape != q.shape:
        raise ValueError(f"expected two histograms (B,), got {tuple(p.shape)} and {tuple(q.shape)}")
    if angles < 3:
        raise ValueError(f"angles must be at least 3, got {angles}")
    edge = 1e-10  # the slopes 0 and infinity themselves are left out
    slopes = torch.linspace(edge, math.pi / 2 - edge, angles, dtype=torch.float64).tan()
    precision = torch.minimum(slopes[:, None] * p, q).sum(dim=1)
    return precision.clamp(0, 1), (precision / slopes).clamp(0, 1)


def max_f_scores(precision: Tensor, recall: Tensor, beta: float = 8.0) -> tuple[float, float]:
    """Return the largest F_β, which weighs recall, and F_1/β, which weighs precision, of a curve."""

    def largest(weight: float) -> float:
        both = weight**2 * precision + recall
        score = (1 + weight**2) * precision * recall / both.clamp_min(1e-300)
        return float(score.max())

    return largest(beta), largest(1 / beta)


def sajjadi_precision_recall(
    real: Tensor,
    fake: Tensor,
    generator: torch.Generator,
    *,
    clusters: int = 20,
    runs: int = 10,
    angles: int = 1001,
) -> tuple[float, float]:
    """Return (F_8, F_1/8) of the precision-recall curve over clusters of the joint features.

    Sajjadi et al. 2018, section 4: k-means with 20 clusters, 10 clusterings, the curves averaged.
    F_8 stands for recall, F_1/8 for precision.

    Args:
        real: (N, F).
        fake: (M, F); with another count than ``real`` the curve is biased.
        generator: decides the clusterings.
        clusters: of k-means over both sets together.
        runs: number of clusterings.
        angles: points of the curve.

    Raises:
        ValueError: vectors that cannot be compared, or fewer of them than clusters.
    """
    check_pair(real, fake)
    if not 1 <= clusters <= min(len(real), len(fake)):
        raise ValueError(
            f"clusters={clusters}: there are {len(real)} real and {len(fake)} generated images; "
            f"choose 1..{min(len(real), len(fake))}"
        )
    if runs < 1:
        raise ValueError(f"runs must be at least 1, got {runs}")
    from sklearn.cluster import MiniBatchKMeans

    together = torch.cat([real, fake]).cpu().numpy()
    curves = []
    for seed in torch.randint(2**31 - 1, (runs,), generator=generator).tolist():
        means = MiniBatchKMeans(clusters, n_init=10, random_state=seed, batch_size=1024)
        label = torch.from_numpy(means.fit_predict(together)).long()
        shares = [
            torch.bincount(part, minlength=clusters).double() / len(part)
            for part in (label[: len(real)], label[len(real) :])
        ]
        curves.append(torch.stack(precision_recall_curve(shares[0], shares[1], angles)))
    precision, recall = torch.stack(curves).mean(dim=0)
    return max_f_scores(precision, recall)


@GENERATION_METRICS.register_module()
class SajjadiPrecisionRecall(CollectedMetric):
    """F_8 (recall) and F_1/8 (precision) of Sajjadi et al. 2018 over the shared features.

    Args:
        clusters: of k-means over generated and real features together.
        runs: number of clusterings.
        max_images: see :class:`CollectedMetric`.
        seed: decides the clusterings and the images.

    Raises:
        ValueError: a number is out of range.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"sajjadi": {}}
    suite: ClassVar[tuple[str, ...]] = ("sajjadi",)
    better: ClassVar[Mapping[str, str]] = {"f_8": "greater", "f_1/8": "greater"}
    figures = ("f_8", "f_1/8")

    def __init__(
        self, clusters: int = 20, runs: int = 10, max_images: int | None = None, seed: int = 0
    ) -> None:
        super().__init__(max_images, seed)
        if clusters < 1 or runs < 1:
            raise ValueError(f"SajjadiPrecisionRecall: clusters={clusters} and runs={runs} must be >= 1")
        self.clusters = clusters
        self.least_generated = self.least_real = clusters
        self.runs = runs

    def compute(self) -> dict[str, float]:
        """Return ``f_8`` and ``f_1/8`` in 0..1; the larger side is cut to the size of the smaller.

        Raises:
            ValueError: fewer images than clusters.
        """
        real, fake = self.real(), self.generated()
        count = min(len(real), len(fake))
        first, second = (
            part.subset(count, self.seed, "sajjadi", i).features for i, part in enumerate((real, fake))
        )
        generator = make_generator(self.seed, "clusters")
        found = sajjadi_precision_recall(first, second, generator, clusters=self.clusters, runs=self.runs)
        return dict(zip(("f_8", "f_1/8"), found, strict=True))

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().settings(), "clusters": self.clusters, "runs": self.runs}
