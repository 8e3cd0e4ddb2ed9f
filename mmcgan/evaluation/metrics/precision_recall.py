"""Precision, recall, density and coverage from balls around feature vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from mmcgan.evaluation.metrics.collected import CollectedMetric
from mmcgan.neighbours.balls import neighbour_balls
from mmcgan.registry import GENERATION_METRICS


def prdc(real: Tensor, fake: Tensor, k: int = 5) -> dict[str, float]:
    """Return ``precision``, ``recall``, ``density`` and ``coverage``.

    Naeem et al. 2020, equations 1-4. The ball of a vector reaches to its k-th nearest other vector and
    does not contain its surface, as in the ``prdc`` package. Every comparison is that of float64 distances.

    Args:
        real: (N, F).
        fake: (M, F).
        k: neighbours that decide the radius; 5 in the paper.

    Returns:
        precision, recall and coverage in 0..1; density >= 0, around 1 for equal distributions.

    Raises:
        ValueError: vectors that cannot be compared, or ``k`` not below both counts.
    """
    counts = neighbour_balls(real, fake, k)
    return {
        "precision": float((counts.real_balls > 0).double().mean()),
        "recall": float(counts.in_fake_ball.double().mean()),
        "density": float(counts.real_balls.double().mean()) / k,
        "coverage": float(counts.real_hit.double().mean()),
    }


def improved_precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Return precision and recall of Kynkäänniemi et al. 2019, equations 1-2: closed balls.

    Args:
        real: (N, F).
        fake: (M, F).
        k: neighbours that decide the radius; 3 in the paper.

    Raises:
        ValueError: vectors that cannot be compared, or ``k`` not below both counts.
    """
    counts = neighbour_balls(real, fake, k, closed=True)
    return float((counts.real_balls > 0).double().mean()), float(counts.in_fake_ball.double().mean())


@GENERATION_METRICS.register_module()
class PRDC(CollectedMetric):
    """Precision, recall, density and coverage (Naeem et al. 2020) of generated against real images.

    Args:
        k: neighbours that decide a ball's radius.
        max_images: at most so many images per side; IC-GAN uses 10,000.
        seed: decides which.

    Raises:
        ValueError: ``k`` below 1.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"prdc": {"max_images": 10_000}}
    suite: ClassVar[tuple[str, ...]] = ("prdc",)
    better: ClassVar[Mapping[str, str]] = {
        "precision": "greater",
        "recall": "greater",
        "density": "greater",
        "coverage": "greater",
    }
    figures: ClassVar[tuple[str, ...]] = ("precision", "recall", "density", "coverage")
    needs_distinct: ClassVar[bool] = True

    def __init__(self, k: int = 5, max_images: int | None = None, seed: int = 0) -> None:
        super().__init__(max_images, seed)
        if k < 1:
            raise ValueError(f"{type(self).__name__}: k must be at least 1, got {k}")
        self.k = k
        self.least_generated = self.least_real = k + 1

    def compute(self) -> dict[str, float]:
        """Return ``precision``, ``recall``, ``density`` and ``coverage``.

        Raises:
            ValueError: no more than ``k`` images on one side.
        """
        return prdc(self.real().features, self.generated().features, self.k)

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().settings(), "k": self.k}


@GENERATION_METRICS.register_module()
class PrecisionRecall(PRDC):
    """Improved precision and recall (Kynkäänniemi et al. 2019); see :class:`PRDC` for the arguments.

    The paper uses k = 3, 50,000 images per side and VGG-16 features.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"precision-recall": {"max_images": 10_000}}
    suite: ClassVar[tuple[str, ...]] = ("precision-recall",)
    better: ClassVar[Mapping[str, str]] = {"improved_precision": "greater", "improved_recall": "greater"}
    figures = ("improved_precision", "improved_recall")

    def __init__(self, k: int = 3, max_images: int | None = None, seed: int = 0) -> None:
        super().__init__(k, max_images, seed)

    def compute(self) -> dict[str, float]:
        """Return ``improved_precision`` and ``improved_recall``, in 0..1.

        Raises:
            ValueError: no more than ``k`` images on one side.
        """
        found = improved_precision_recall(self.real().features, self.generated().features, self.k)
        return dict(zip(("improved_precision", "improved_recall"), found, strict=True))
