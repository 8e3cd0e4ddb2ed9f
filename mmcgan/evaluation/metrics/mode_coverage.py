"""How many classes generated images show, and how evenly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from mmengine.dist import all_reduce
from torch import Tensor

from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition


@GENERATION_METRICS.register_module()
class ModeCoverage(GenerationMetric):
    """Classes that the classifier sees at least once, and KL(seen || uniform) in nats.

    The test of stacked MNIST (Metz et al. 2017; Srivastava et al. 2017; Lin et al. 2018), customarily over
    26,000 images. 0 nats are perfect; real images of equal classes reach about (C - 1) / 2N, 0.019 there, and
    a single class log C, 6.9. The labels asked for do not matter: with them, look at
    :class:`ConditionalAccuracy` too.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"modes": {}}
    better: ClassVar[Mapping[str, str]] = {"modes_found": "greater", "mode_kl": "less"}
    figures = ("modes_found", "mode_kl")
    needs_logits: ClassVar[bool] = True

    def __init__(self) -> None:
        self._counts: Tensor | None = None
        self._number = 0

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Make room for a count per class."""
        super().prepare(extractor, reference)
        self._number = extractor.num_classes or 0
        self.reset()

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Check that the modes counted are the classes asked for, where there are some.

        Raises:
            ValueError: the extractor tells another number of classes.
        """
        asked = int(conditions.get("num_classes") or 0)
        if asked and asked != self._number:
            raise ValueError(
                f"ModeCoverage counts the {self._number} classes that the extractor tells, but {asked} are "
                "asked for; take the classifier of these classes (StackedClassifier for stacked digits)"
            )

    def reset(self) -> None:
        """Forget all images."""
        self._counts = torch.zeros(self._number, dtype=torch.int64)

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add logits (N, C)."""
        assert output.logits is not None and self._counts is not None  # checked by prepare()
        self._counts += torch.bincount(output.logits.argmax(1), minlength=self._number).cpu()

    def merge(self) -> None:
        """Add the counts of all ranks."""
        all_reduce(self._counts, "sum")

    def compute(self) -> dict[str, float]:
        """Return ``modes_found`` and ``mode_kl``.

        Raises:
            ValueError: no images were added.
        """
        assert self._counts is not None
        total = int(self._counts.sum())
        if not total:
            raise ValueError("ModeCoverage: no images were added")
        seen = self._counts[self._counts > 0].double() / total
        divergence = float((seen * (seen * self._number).log()).sum())
        return {"modes_found": float(len(seen)), "mode_kl": max(divergence, 0.0)}
