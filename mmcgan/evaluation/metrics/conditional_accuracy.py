"""How often a classifier sees in an image the class that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from mmengine.dist import all_reduce
from torch import Tensor

from mmcgan.class_names import Classes, matching
from mmcgan.evaluation.metrics.base import GenerationMetric, asked_classes, renumbered
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition


@GENERATION_METRICS.register_module()
class ConditionalAccuracy(GenerationMetric):
    """Share of generated images whose requested label is among the classifier's ``top_k``.

    The classes of generator and classifier must be the same; where both have names, these are matched and may
    be in another order. A perfect generator reaches the classifier's accuracy on real images, not 1.

    Args:
        top_k: a hit is a label among the k largest logits.
        per_class: also return one figure per class (:meth:`details` always has them).

    Raises:
        ValueError: ``top_k`` below 1, or above the number of classes.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"accuracy": {}, "accuracy5": {"top_k": 5}}
    suite: ClassVar[tuple[str, ...]] = ("accuracy",)
    better: ClassVar[Mapping[str, str]] = {"conditional_accuracy*": "greater"}
    figures = ("conditional_accuracy", "conditional_accuracy/*", "conditional_accuracy_top*")

    needs_logits: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True

    def __init__(self, top_k: int = 1, per_class: bool = False) -> None:
        if top_k < 1:
            raise ValueError(f"ConditionalAccuracy: top_k must be at least 1, got {top_k}")
        self.top_k = top_k
        self.per_class = per_class
        self._classes: Sequence[str] = ()
        self._known = Classes("the classifier", None)
        self._numbers: list[int] | None = None
        self._counts: Tensor | None = None

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the class names; make room for hits and images per class."""
        super().prepare(extractor, reference)
        count = extractor.num_classes or 0
        if self.top_k > count:
            raise ValueError(
                f"ConditionalAccuracy: top_k={self.top_k}, but {extractor.name} has {count} classes"
            )
        self._classes = extractor.classes or [str(index) for index in range(count)]
        self._known = Classes(f"the classifier {extractor.name!r}", count, tuple(extractor.classes))
        self.reset()

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Match the classes asked for with the classifier's.

        Raises:
            ValueError: they are not the same.
        """
        try:
            self._numbers = matching(asked_classes(conditions), self._known)
        except ValueError as error:
            raise ValueError(f"ConditionalAccuracy: {error}") from error

    def reset(self) -> None:
        """Forget all images."""
        self._counts = torch.zeros(2, len(self._classes), dtype=torch.int64)

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add logits (N, C) and the labels asked for.

        Raises:
            ValueError: images without a label, or a label that the classifier does not know.
        """
        assert output.logits is not None and self._counts is not None  # checked by prepare()
        if condition.label is None:
            raise ValueError(
                "ConditionalAccuracy: the images were generated without labels; give ConditionDataset "
                "num_classes, or leave this metric out"
            )
        label = condition.label.to(output.logits.device)
        if len(label) and not 0 <= int(label.min()) <= int(label.max()) < len(self._classes):
            raise ValueError(
                f"ConditionalAccuracy: labels {int(label.min())}..{int(label.max())} were asked for, the "
                f"classifier knows 0..{len(self._classes) - 1}"
            )
        label = renumbered(label, self._numbers)
        best = output.logits.topk(self.top_k, dim=1).indices
        hit = (best == label[:, None]).any(dim=1)
        rows = [torch.bincount(chosen, minlength=len(self._classes)) for chosen in (label[hit], label)]
        self._counts += torch.stack(rows).cpu()

    def merge(self) -> None:
        """Add the counts of all ranks."""
        all_reduce(self._counts, "sum")

    @property
    def _key(self) -> str:
        return "conditional_accuracy" + (f"_top{self.top_k}" if self.top_k > 1 else "")

    def compute(self) -> dict[str, float]:
        """Return ``conditional_accuracy`` (``..._topK`` for K > 1) in 0..1, and per class if asked for.

        Raises:
            ValueError: no images were added.
        """
        assert self._counts is not None
        hits, images = self._counts.sum(dim=1).tolist()
        if not images:
            raise ValueError("ConditionalAccuracy: no images were added")
        figures = {self._key: hits / images}
        if self.per_class:
            figures |= {f"{self._key}/{name}": value for name, value in self._by_class().items()}
        return figures

    def _by_class(self) -> dict[str, float]:
        """Return the accuracy of every class that was asked for."""
        assert self._counts is not None
        rows = zip(self._classes, *self._counts.tolist(), strict=True)
        return {name: hits / images for name, hits, images in rows if images}

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"top_k": self.top_k}

    def details(self) -> dict[str, Any]:
        """Return the accuracy per class."""
        return {"per_class": self._by_class()}
