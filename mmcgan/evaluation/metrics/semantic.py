"""Whether generated images show in every pixel the class that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from mmengine.dist import all_reduce
from torch import Tensor

from mmcgan.class_names import Classes, matching
from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.mean_iou import confusion_matrix, iou_per_class, mean_iou
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition


@GENERATION_METRICS.register_module()
class MIoU(GenerationMetric):
    """Mean intersection over union, and accuracy, of the label maps seen and asked for (Park et al. 2019).

    The extractor segments the generated images; its classes must be those of the label maps; where both have
    names, these are matched and may be in another order. A perfect generator reaches the extractor's figures
    on real images, not 1.

    Args:
        ignore_label: pixels that were asked to be of this class do not count; None counts all.
        per_class: also return one figure per class (:meth:`details` always has them).

    Raises:
        ValueError: an extractor that does not segment.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"miou": {}}
    better: ClassVar[Mapping[str, str]] = {"miou*": "greater", "pixel_accuracy": "greater"}
    figures = ("miou", "pixel_accuracy", "miou/*")

    def __init__(self, ignore_label: int | None = None, per_class: bool = False) -> None:
        self.ignore_label = ignore_label
        self.per_class = per_class
        self._classes: Sequence[str] = ()
        self._known = Classes("the segmentation network", None)
        self._numbers: list[int] | None = None
        self._confusion = torch.zeros(0, 0, dtype=torch.int64)

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the class names; make room for the counts."""
        super().prepare(extractor, reference)
        count = extractor.pixel_classes
        if count is None:
            raise ValueError(
                f"MIoU needs label maps; the extractor {extractor.name!r} gives none. Use "
                "extractor=dict(type='SmallSegmenter', weights=...)"
            )
        self._classes = extractor.classes or [str(index) for index in range(count)]
        self._known = Classes(f"the segmentation network {extractor.name!r}", count, tuple(extractor.classes))
        self.reset()

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Match the classes of the label maps with the extractor's; ``ignore_label`` needs no match.

        Raises:
            ValueError: they are not the same.
        """
        names = list(conditions.get("map_classes") or ())
        count = conditions.get("num_map_classes") or None
        ignored = self.ignore_label if self.ignore_label is not None and self.ignore_label >= 0 else None
        if count is not None and ignored is not None and count == len(self._classes) + 1 and ignored < count:
            names[ignored : ignored + 1] = []
            count -= 1
        else:
            ignored = None
        try:
            numbers = matching(Classes("what is asked for", count, tuple(names)), self._known)
        except ValueError as error:
            raise ValueError(f"MIoU: {error}") from error
        if numbers is not None and ignored is not None:
            numbers.insert(ignored, ignored)
        self._numbers = numbers

    def reset(self) -> None:
        """Forget all images."""
        self._confusion = torch.zeros(len(self._classes), len(self._classes), dtype=torch.int64)

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add the label maps seen (N, H, W) and those asked for, of the same size.

        Raises:
            ValueError: images made without label maps, maps of another size, or ids that are unknown.
        """
        seen, asked = output.label_map, condition.label_map
        if seen is None:
            raise ValueError("MIoU: the extractor's output has no label_map")
        if asked is None:
            raise ValueError(
                "MIoU: the images were generated without label maps; evaluate with "
                "dataset=dict(type='LabelMapConditions', ...), or leave this metric out"
            )
        asked = asked.to(seen.device)
        self._check(seen, asked)
        asked = self._renumbered(asked)
        self._confusion += confusion_matrix(seen, asked, len(self._classes), self.ignore_label).cpu()

    def _renumbered(self, asked: Tensor) -> Tensor:
        """Return the ids asked for as the extractor numbers them; those that do not count stay."""
        if self._numbers is None:
            return asked
        found = asked.new_tensor(self._numbers)[asked.clamp(0, len(self._numbers) - 1)]
        if self.ignore_label is None:
            return found
        # the matrix leaves pixels of this id out: no counted one may come to have it
        counted = asked != self.ignore_label
        if bool((found[counted] == self.ignore_label).any()):
            raise ValueError(
                f"MIoU: class {self.ignore_label}, which is not counted, has another number at the "
                "extractor; give label maps and extractor the same order of classes"
            )
        return torch.where(counted, found, asked)

    def _check(self, seen: Tensor, asked: Tensor) -> None:
        if seen.shape != asked.shape:
            raise ValueError(
                f"MIoU: images of {tuple(seen.shape[1:])} were made from label maps of "
                f"{tuple(asked.shape[1:])} (height, width)"
            )
        counted = asked if self.ignore_label is None else asked[asked != self.ignore_label]
        unknown = counted[(counted < 0) | (counted >= len(self._classes))].unique().tolist()
        if unknown:
            raise ValueError(
                f"MIoU: label maps ask for the ids {unknown[:10]}, the segmentation network knows "
                f"0..{len(self._classes) - 1}"
            )

    def merge(self) -> None:
        """Add the counts of all ranks."""
        all_reduce(self._confusion, "sum")

    def compute(self) -> dict[str, float]:
        """Return ``miou`` and ``pixel_accuracy`` in 0..1, and ``miou/<class>`` if asked for.

        Raises:
            ValueError: no pixels were added.
        """
        figures = {"miou": mean_iou(self._confusion), "pixel_accuracy": pixel_accuracy(self._confusion)}
        if self.per_class:
            figures |= {f"miou/{name}": value for name, value in self._by_class().items()}
        return figures

    def _by_class(self) -> dict[str, float]:
        """Return the intersection over union of every class that was asked for or seen."""
        found = iou_per_class(self._confusion).tolist()
        return {name: value for name, value in zip(self._classes, found, strict=True) if value == value}

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"ignore_label": self.ignore_label}

    def details(self) -> dict[str, Any]:
        """Return the figures per class."""
        return {"per_class": self._by_class()}


def pixel_accuracy(confusion: Tensor) -> float:
    """Return the share of pixels on the diagonal of a confusion matrix (C, C), in 0..1."""
    return float(confusion.diagonal().sum() / confusion.sum())
