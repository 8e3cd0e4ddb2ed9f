"""How often a classifier sees in an image the attributes that were asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from mmengine.dist import all_gather_object, all_reduce
from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.class_names import Classes, matching
from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.attribute_classifier import attribute_hits
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition


@GENERATION_METRICS.register_module()
class AttributeAccuracy(GenerationMetric):
    """Share of generated images that show what was asked for: by group, and everything at once.

    ``attribute_accuracy/<group>`` is the share whose largest logit of an exclusive group is the asked
    attribute, ``attribute_accuracy/<group>/<name>`` that of images on the asked side of a free attribute,
    ``attribute_accuracy`` that of images with all of them right. The attributes of generator and classifier
    must be the same. A perfect generator reaches the classifier's accuracy on real images, not 1.

    Args:
        per_combination: also return one figure for every combination that was asked for
            (:meth:`details` always has them).

    Raises:
        ValueError: the extractor knows no attributes, or the images were asked for by others.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"attribute-accuracy": {}}
    better: ClassVar[Mapping[str, str]] = {"attribute_accuracy*": "greater"}
    figures = ("attribute_accuracy", "attribute_accuracy/*")

    needs_attributes: ClassVar[bool] = True

    def __init__(self, per_combination: bool = False) -> None:
        self.per_combination = per_combination
        self.groups: AttributeGroups | None = None
        self._order: list[int] | None = None
        self._names: list[str] = []
        self.reset()

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the classifier's attribute groups.

        Raises:
            ValueError: it has none.
        """
        super().prepare(extractor, reference)
        groups = extractor.groups
        if not isinstance(groups, AttributeGroups):
            raise ValueError(
                f"AttributeAccuracy needs a classifier of attributes, the extractor {extractor.name!r} is "
                "none: use dict(type='AttributeClassifier', weights=...)"
            )
        self.groups = groups
        empty = torch.zeros(1, len(groups))
        self._names = list(attribute_hits(empty, empty, groups))
        self.reset()

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Match the attributes asked for with the classifier's: groups and names, in any order.

        Raises:
            ValueError: they are not the same.
        """
        assert self.groups is not None
        asked = conditions.get("attributes")
        if not asked:
            return
        ours = _columns(AttributeGroups.from_config(asked))
        theirs = _columns(self.groups)
        try:
            self._order = matching(
                Classes("the classifier", len(theirs), theirs), Classes("what is asked for", len(ours), ours)
            )
        except ValueError as error:
            raise ValueError(
                "AttributeAccuracy: the attributes asked for are not those of the classifier, which knows "
                f"{self.groups.describe()}: {error}"
            ) from error

    def reset(self) -> None:
        """Forget all images."""
        # images and hits: of every attribute, then of all at once
        self._total = torch.zeros(2 + len(self._names), dtype=torch.int64)
        self._combinations: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Count hits.

        Raises:
            ValueError: images without attributes, or with another number of them.
        """
        assert self.groups is not None and output.logits is not None  # checked by prepare()
        wanted = condition.attributes
        if wanted is None or wanted.shape[1] != len(self.groups):
            found = "none" if wanted is None else f"{wanted.shape[1]}"
            raise ValueError(
                f"AttributeAccuracy: the images were generated with {found} attributes, the classifier knows "
                f"{len(self.groups)}: {self.groups.describe()}"
            )
        if self._order is not None:
            wanted = wanted[:, self._order]
        hits = attribute_hits(output.logits, wanted.to(output.logits.device), self.groups)
        table = torch.stack([hits[name] for name in self._names])
        together = table.all(0)
        counts = [torch.tensor([len(wanted)]), table.sum(1).cpu(), together.sum().cpu()[None]]
        self._total += torch.cat(counts)
        self._count_combinations(wanted.cpu(), together.cpu())

    def _count_combinations(self, wanted: Tensor, together: Tensor) -> None:
        assert self.groups is not None
        rows, index = wanted.unique(dim=0, return_inverse=True)
        images = torch.bincount(index, minlength=len(rows)).tolist()
        hits = torch.bincount(index[together], minlength=len(rows)).tolist()
        for row, number, hit in zip(rows, images, hits, strict=True):
            entry = self._combinations[self.groups.label(row)]
            entry[0] += number
            entry[1] += hit

    def merge(self) -> None:
        """Add the counts of all ranks."""
        all_reduce(self._total, "sum")
        gathered: list[Any] = all_gather_object(dict(self._combinations))
        if len(gathered) > 1:
            self._combinations.clear()
            for part in gathered:
                for name, (number, hit) in part.items():
                    self._combinations[name][0] += number
                    self._combinations[name][1] += hit

    def compute(self) -> dict[str, float]:
        """Return the shares in 0..1 by name.

        Raises:
            ValueError: no images were added.
        """
        images, *hits, together = self._total.tolist()
        if not images:
            raise ValueError("AttributeAccuracy: no images were added")
        figures = {"attribute_accuracy": together / images}
        figures |= {f"attribute_accuracy/{n}": h / images for n, h in zip(self._names, hits, strict=True)}
        if self.per_combination:
            figures |= {f"attribute_accuracy/{name}": share for name, share in self._shares().items()}
        return figures

    def _shares(self) -> dict[str, float]:
        return {name: hit / number for name, (number, hit) in sorted(self._combinations.items())}

    def details(self) -> dict[str, Any]:
        """Return the share of every combination that was asked for."""
        return {"per_combination": self._shares()}


def _columns(groups: AttributeGroups) -> list[str]:
    return [f"{group.name}={name}" for group in groups for name in group.names]
