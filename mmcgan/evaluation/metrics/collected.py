"""Metrics that need every feature vector, not only sums over them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import torch
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.logging import print_log
from torch import Tensor

from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.metrics.inception import interleave
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.random import make_generator
from mmcgan.structures import Condition


@dataclass(frozen=True)
class Collected:
    """Features with labels, in the order of their images.

    Attributes:
        features: float32 (N, F).
        label: int64 (N,), or None.
    """

    features: Tensor
    label: Tensor | None

    def __len__(self) -> int:
        return len(self.features)

    def subset(self, count: int | None, *seed: int | str) -> Collected:
        """Return ``count`` rows drawn without replacement, in their order; all of them for None."""
        if count is None or count >= len(self):
            return self
        rows = torch.randperm(len(self), generator=make_generator(*seed))[:count].sort().values
        return Collected(self.features[rows], None if self.label is None else self.label[rows])


def warn(message: str) -> None:
    """Log what limits a figure."""
    print_log(message, logger="current", level=logging.WARNING)


def gather_rows(rows: Sequence[Tensor]) -> Tensor | None:
    """Return this rank's batches with those of all others, in the order of the images."""
    own = torch.cat(list(rows)) if rows else None
    gathered = [part for part in all_gather_object(own) if part is not None]
    return interleave(gathered) if gathered else None


SHARED_BYTES = 2**31  # features up to so large are kept for all metrics that may want them
_REAL_FEATURES: WeakKeyDictionary[Reference, Collected] = WeakKeyDictionary()


def real_features(reference: Reference) -> Collected:
    """Return the features of all real images; computed once per process and kept in memory.

    Collective: every rank must call it. Needs 4 N F bytes.
    """
    if reference not in _REAL_FEATURES:
        features, labels = [], []
        for output, label in reference.outputs("features of the real images"):
            features.append(output.features.cpu())
            if label is not None:
                labels.append(label)
        every = gather_rows(features)
        if every is None:
            raise ValueError("the reference data set has no images")
        _REAL_FEATURES[reference] = Collected(every, gather_rows(labels))
    return _REAL_FEATURES[reference]


def leading_features(reference: Reference, limit: Tensor) -> Collected:
    """Return the features of the first ``limit[c]`` real images of every class c, in their order.

    The others are dropped as soon as they are seen, so memory does not grow with the data set. Collective.

    Args:
        reference: labelled real images.
        limit: int64 (C,), the same on every rank; labels from C on have a limit of 0.

    Raises:
        ValueError: the images have no labels.
    """
    rank, world_size = get_dist_info()
    left, seen = limit.clone(), 0
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    for output, label in reference.outputs("features of the real images"):
        if label is None:
            raise ValueError(f"{reference.config.get('type')}: the real images have no labels")
        chosen = take_from_each_class(label, left)
        kept.append((chosen + seen, output.features.cpu()[chosen], label[chosen]))
        seen += len(label)
    parts = [part for part in all_gather_object((rank, kept)) if part[1]]
    position = torch.cat([row * world_size + owner for owner, batches in parts for row, _, _ in batches])
    features, labels = (
        torch.cat([batch[i] for _, batches in parts for batch in batches])[position.argsort()] for i in (1, 2)
    )
    first = take_from_each_class(labels, limit.clone())  # every rank had kept as many as one might need
    return Collected(features[first], labels[first])


def take_from_each_class(label: Tensor, left: Tensor) -> Tensor:
    """Return the rows of ``label`` (N,) that come among the first ``left[c]`` of their class, ascending.

    ``left`` (C,) is lowered by what was taken.
    """
    order = label.argsort(stable=True)
    counts = torch.bincount(label, minlength=len(left))
    place = torch.arange(len(label)) - (counts.cumsum(0) - counts)[label[order]]
    allowed = torch.zeros_like(counts)
    allowed[: len(left)] = left
    taken = place < allowed[label[order]]
    left -= torch.minimum(left, counts[: len(left)])
    return order[taken].sort().values


def fits_in_memory(reference: Reference) -> bool:
    """Return whether the features of all real images are there, or small enough to be kept."""
    size = 4 * len(reference.dataset) * reference.extractor.feature_dim
    return reference in _REAL_FEATURES or size <= SHARED_BYTES


class CollectedMetric(GenerationMetric):
    """Base of metrics over all features; the batches are shared with the other metrics, not copied.

    Args:
        max_images: use at most so many generated and real images, drawn by ``seed``; None uses all.
        seed: of every random choice.
    """

    needs_reference: ClassVar[bool] = True
    least_real = 1

    def __init__(self, max_images: int | None = None, seed: int = 0) -> None:
        if max_images is not None and max_images < 2:
            raise ValueError(f"{type(self).__name__}: max_images must be at least 2, got {max_images}")
        self.max_images = max_images
        self.seed = seed
        self._reference: Reference | None = None
        self.reset()

    def shortage(self, generated: int | None, real: int | None) -> str | None:
        """Return why so few images give no figure; of more than ``max_images`` only these count."""
        counts = [
            count if count is None or self.max_images is None else min(count, self.max_images)
            for count in (generated, real)
        ]
        return super().shortage(counts[0], counts[1])

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the reference; its features are computed when first needed."""
        super().prepare(extractor, reference)
        self._reference = reference

    def reset(self) -> None:
        """Forget all images."""
        self._features: list[Tensor] = []
        self._labels: list[Tensor] = []

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add features (N, F) and, if there are any, the labels asked for.

        Raises:
            ValueError: features that are not finite, or a metric that needs labels got none.
        """
        finite = torch.isfinite(output.features).all(dim=1)
        if not finite.all():
            raise ValueError(
                f"features of {int((~finite).sum())} of {len(finite)} images are NaN or infinite"
            )
        if condition.label is not None:
            self._labels.append(condition.label.cpu())
        elif self.needs_labels:
            raise ValueError(
                f"{type(self).__name__}: the images were generated without labels; give ConditionDataset "
                "num_classes, or leave this metric out"
            )
        self._features.append(output.features.cpu())

    def merge(self) -> None:
        """Put the features of all ranks in the order of their images."""
        features, labels = gather_rows(self._features), gather_rows(self._labels)
        self._features = [] if features is None else [features]
        self._labels = [] if labels is None else [labels]

    def generated(self) -> Collected:
        """Return features and labels of the generated images.

        Raises:
            ValueError: there are none.
        """
        if not self._features:
            raise ValueError(f"{type(self).__name__}: no images were added")
        label = torch.cat(self._labels) if self._labels else None
        return Collected(torch.cat(self._features), label).subset(self.max_images, self.seed, "generated")

    def real(self) -> Collected:
        """Return features and labels of the real images.

        Raises:
            RuntimeError: :meth:`prepare` was not called with a reference.
        """
        if self._reference is None:
            raise RuntimeError(f"{type(self).__name__}.prepare() must be called with a reference first")
        return real_features(self._reference).subset(self.max_images, self.seed, "real")

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"max_images": self.max_images, "seed": self.seed}
