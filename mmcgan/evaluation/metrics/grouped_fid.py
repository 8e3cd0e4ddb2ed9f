"""Fréchet distances within groups of classes, and within single classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mmcgan.class_names import matching
from mmcgan.evaluation.metrics.base import (
    GenerationMetric,
    asked_classes,
    reference_classes,
    renumbered,
)
from mmcgan.evaluation.metrics.collected import (
    Collected,
    CollectedMetric,
    fits_in_memory,
    leading_features,
    warn,
)
from mmcgan.evaluation.statistics.frechet import (
    GaussianStatistics,
    feature_frechet_distance,
    frechet_distance,
)
from mmcgan.evaluation.statistics.grouped_reference import load_grouped
from mmcgan.evaluation.statistics.groups import GroupMoments, class_groups
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition


@GENERATION_METRICS.register_module()
class StratifiedFID(GenerationMetric):
    """FID within groups of classes, real against generated (IC-GAN, Casanova et al. 2021).

    The real images of a group are those of the reference with its labels, the generated ones those
    that were asked for with its labels. Only moments are kept.

    Args:
        groups: labels by name of the group, any grouping, as the reference numbers its classes; excludes
            ``class_counts``.
        class_counts: training images per class, in the order of the reference's classes; groups many, medium
            and few come from it. None counts the labels of the reference.
        many: a class with at least so many images belongs to "many".
        few: a class with at most so many images belongs to "few".
        statistics: a file of ``mmcgan reference-stats --groups``, which has the groups and what is needed of
            their real images; excludes the other arguments.

    Raises:
        ValueError: more than one of ``groups``, ``class_counts`` and ``statistics``, an empty group, or
            ``few`` >= ``many``.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"stratified-fid": {}}
    better: ClassVar[Mapping[str, str]] = {"fid_*": "less"}
    figures = ("fid_*",)

    needs_labels: ClassVar[bool] = True
    needs_reference: ClassVar[bool] = True
    least_generated = 2
    least_real = 2

    def __init__(
        self,
        groups: Mapping[str, Sequence[int]] | None = None,
        class_counts: Sequence[int] | None = None,
        many: int = 100,
        few: int = 20,
        statistics: str | None = None,
    ) -> None:
        if sum(given is not None for given in (groups, class_counts, statistics)) > 1:
            raise ValueError("StratifiedFID: give groups, class_counts or statistics, one of them")
        for name, members in (groups or {}).items():
            if not members:
                raise ValueError(f"StratifiedFID: group {name!r} has no labels")
        class_groups(class_counts or [], many, few)
        self.groups = None if groups is None else {name: list(labels) for name, labels in groups.items()}
        self.class_counts = class_counts
        self.limits = (many, few)
        self._reference: Reference | None = None
        self._fake: GroupMoments | None = None
        self.statistics = statistics
        self._real: dict[str, GaussianStatistics] | None = None
        self._numbers: list[int] | None = None

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the reference and settle the groups."""
        super().prepare(extractor, reference)
        self._reference = reference
        if self.statistics is not None and reference is not None:
            self._real, self.groups = load_grouped(Path(self.statistics), reference.identity())
        if self.groups is None:
            counts = self.class_counts or _label_counts(reference)
            self.groups = class_groups(counts, *self.limits)
        self.reset()

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Match the classes asked for with the reference's, in whose numbers the groups are.

        Raises:
            ValueError: they are not the same.
        """
        self._numbers = match_reference(self, conditions, self._reference)

    def reset(self) -> None:
        """Forget all generated images."""
        self._fake = None if self.groups is None else GroupMoments(self.groups)

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add features (N, F) and the labels asked for.

        Raises:
            ValueError: images without a label.
        """
        if condition.label is None:
            raise ValueError("StratifiedFID: the images were generated without labels; give num_classes")
        assert self._fake is not None  # made by prepare()
        self._fake.update(output.features, renumbered(condition.label, self._numbers))

    def merge(self) -> None:
        """Combine the moments of all ranks."""
        assert self._fake is not None
        self._fake.merge()

    def _real_statistics(self) -> dict[str, GaussianStatistics]:
        """Return those of the real images, from the file or one pass over them; collective."""
        if self._real is None:
            assert self._reference is not None and self.groups is not None
            gathered = GroupMoments(self.groups)
            for output, label in self._reference.outputs("groups of the real images"):
                gathered.update(output.features, require_label(label, "StratifiedFID"))
            gathered.merge()
            self._real = {name: each.compute() for name, each in gathered.moments.items() if each.count > 1}
        return self._real

    def compute(self) -> dict[str, float]:
        """Return ``fid_<group>`` per group.

        Raises:
            ValueError: a group has fewer than two generated or real images.
        """
        real, figures = self._real_statistics(), {}
        assert self._fake is not None
        for name, moments in self._fake.moments.items():
            if moments.count < 2 or name not in real:
                raise ValueError(
                    f"StratifiedFID: group {name!r} has {moments.count} generated images"
                    f"{'' if name in real else ' and fewer than 2 real ones'}; a covariance needs at least 2 "
                    "of each"
                )
            fake, other = moments.compute(), real[name]
            warn_if_few(f"FID of group {name!r}", min(fake.count, other.count), len(fake.mean))
            figures[f"fid_{name}"] = frechet_distance(
                fake.mean.cpu(), fake.covariance.cpu(), other.mean.cpu(), other.covariance.cpu()
            )
        return figures

    def settings(self) -> dict[str, Any]:
        """Return the groups."""
        return {"groups": self.groups, "statistics": self.statistics, "ddof": 1}

    def details(self) -> dict[str, Any]:
        """Return how many images each group had."""
        moments = {} if self._fake is None else self._fake.moments
        return {"generated_images": {name: value.count for name, value in moments.items()}}


def match_reference(
    metric: GenerationMetric, conditions: Mapping[str, Any], reference: Reference | None
) -> list[int] | None:
    """Return the reference's number of each class asked for, see :func:`~mmcgan.class_names.matching`.

    Raises:
        ValueError: they are not the same classes; names the metric.
    """
    try:
        return matching(asked_classes(conditions), reference_classes(reference))
    except ValueError as error:
        raise ValueError(f"{type(metric).__name__}: {error}") from error


def require_label(label: Tensor | None, name: str) -> Tensor:
    """Return the labels of real images.

    Raises:
        ValueError: the reference has none.
    """
    if label is None:
        raise ValueError(f"{name}: the real images of the reference have no labels; give a labelled data set")
    return label


def _label_counts(reference: Reference | None) -> list[int]:
    """Return the images per class of the reference, from its facts or its labels."""
    assert reference is not None
    counts = reference.dataset.metainfo.get("class_counts")
    if counts is not None:
        return list(counts)
    size, labels = len(reference.dataset), []
    for start in range(0, size, reference.batch_size):
        rows = range(start, min(start + reference.batch_size, size))
        labels.append(require_label(reference.dataset.__getitems__(rows).get("label"), "StratifiedFID"))
    return torch.bincount(torch.cat(labels)).tolist()


def warn_if_few(what: str, count: int, width: int) -> None:
    """Say what follows from a covariance that is not of full rank."""
    if count <= width:
        warn(
            f"{what} over {count} images with {width} features: the covariance is not of full rank and the "
            "figure is biased upwards; compare only with figures over as many images"
        )


def intra_class_fid(real: Collected, fake: Collected, equal_counts: bool = True) -> dict[int, float]:
    """Return the Fréchet distance between real and generated images of every class.

    Miyato and Koyama 2018, section 4; its mean over classes is intra-FID. Where a class has fewer
    images than features the distance is computed without a covariance.

    Args:
        real: features with labels; every class in it is looked at.
        fake: features with labels.
        equal_counts: compare the first n images of both sides, n the smaller count, as StudioGAN does
            where it generates as many images as there are real ones; else use all.

    Raises:
        ValueError: no labels, or a class without two real and two generated images.
    """
    if real.label is None or fake.label is None:
        raise ValueError("intra-class FID needs labels of real and of generated images")
    classes = real.label.unique().tolist()
    counts = {c: (int((real.label == c).sum()), int((fake.label == c).sum())) for c in classes}
    short = [f"{c} ({n} real, {m} generated)" for c, (n, m) in counts.items() if min(n, m) < 2]
    if short:
        raise ValueError(
            f"intra-class FID needs at least 2 real and 2 generated images of every class; "
            f"too few in {len(short)} classes: {', '.join(short[:5])}"
        )
    figures = {}
    for label, (n, m) in counts.items():
        size = (min(n, m),) * 2 if equal_counts else (n, m)
        own = real.features[real.label == label][: size[0]]
        other = fake.features[fake.label == label][: size[1]]
        figures[int(label)] = feature_frechet_distance(own, other)
    return figures


@GENERATION_METRICS.register_module()
class IntraFID(CollectedMetric):
    """Mean over classes of the FID between real and generated images of the class.

    Features of real images beyond 2 GiB are not kept: of every class, only those that are compared with the
    generated ones (``equal_counts``).

    Args:
        equal_counts: see :func:`intra_class_fid`.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"intra-fid": {}}
    suite: ClassVar[tuple[str, ...]] = ("intra-fid",)
    better: ClassVar[Mapping[str, str]] = {"intra_fid": "less"}
    figures = ("intra_fid",)

    needs_labels: ClassVar[bool] = True
    least_generated = 2
    least_real = 2

    def __init__(self, equal_counts: bool = True) -> None:
        super().__init__()
        self.equal_counts = equal_counts
        self._by_class: dict[int, float] = {}
        self._leading: tuple[Tensor, Collected] | None = None
        self._numbers: list[int] | None = None

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Match the classes asked for with the reference's.

        Raises:
            ValueError: they are not the same.
        """
        self._numbers = match_reference(self, conditions, self._reference)

    def generated(self) -> Collected:
        """Return features of the generated images, and labels as the reference numbers them."""
        found = super().generated()
        return found if found.label is None else replace(found, label=renumbered(found.label, self._numbers))

    def _real_of(self, fake: Collected) -> Collected:
        """Return the real features that are compared with the generated ones."""
        assert self._reference is not None and fake.label is not None
        if not self.equal_counts or fits_in_memory(self._reference):
            return self.real()
        classes = self._reference.dataset.metainfo.get("num_classes") or 0
        limit = torch.bincount(fake.label, minlength=classes).clamp_min(2)
        if self._leading is None or not torch.equal(self._leading[0], limit):
            self._leading = limit, leading_features(self._reference, limit)
        return self._leading[1]

    def compute(self) -> dict[str, float]:
        """Return ``intra_fid``.

        Raises:
            ValueError: the reference has no labels, or a class too few images.
        """
        fake = self.generated()
        real = self._real_of(fake)
        require_label(real.label, "IntraFID")
        self._by_class = intra_class_fid(real, fake, self.equal_counts)
        per_class = len(fake) // len(self._by_class)
        warn_if_few("intra-class FID", per_class, fake.features.shape[1])
        return {"intra_fid": sum(self._by_class.values()) / len(self._by_class)}

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"equal_counts": self.equal_counts, "ddof": 1}

    def details(self) -> dict[str, Any]:
        """Return the distance of each class."""
        return {"per_class": {str(label): value for label, value in self._by_class.items()}}
