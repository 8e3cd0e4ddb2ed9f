"""The instances that travel with exported weights, so that they sample without the training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Generator, Tensor

from mmcgan.closed_world import build, checked, named
from mmcgan.instances.store import InstanceStore, open_store
from mmcgan.instances.store_metadata import StoreError
from mmcgan.origin import Origin
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import ConditionSampler
from mmcgan.structures import Condition

PREFIX = "instances."
# Neighbours whose labels travel with an instance, at most.
LABELS = 50


def without_instances(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return the generator's own among the tensors of a file of weights."""
    return {name: value for name, value in weights.items() if not name.startswith(PREFIX)}


class LateSampler:
    """A condition sampler that is built when it is first asked: it may need a store that is elsewhere.

    Args:
        config: of the sampler.
        origin: where the config comes from.
        classes: names of the model's classes, whose numbers it draws; empty where they are not known.
    """

    def __init__(self, config: Mapping[str, Any], origin: Origin, classes: Sequence[str] = ()) -> None:
        self.config, self.origin, self.classes = dict(config), origin, classes

    @cached_property
    def sampler(self) -> Any:
        """The sampler itself.

        Raises:
            FileNotFoundError, StoreError: its store of instances is not there or does not fit.
            RefusedConfigError: it would read files that the model must not name.
        """
        found = build(SAMPLERS, self.config, self.origin, "condition_sampler")
        require_classes(found, self.classes)
        return found

    def sample(self, n: int, generator: Generator) -> Condition:
        """Return what the sampler draws."""
        with named(self.origin, "condition_sampler"):
            return self.sampler.sample(n, generator)


def require_classes(sampler: ConditionSampler | None, classes: Sequence[str]) -> None:
    """Check that a sampler that takes labels from a store of instances numbers them as a model does.

    Args:
        sampler: of conditions; None where images are not asked for by one.
        classes: names of the model's.

    Raises:
        StoreError: the store's classes are others, or in another order.
    """
    if sampler is not None and isinstance(sampler.store, InstanceStore) and sampler.num_classes:
        sampler.store.require_classes(classes)


@dataclass(frozen=True)
class StoredInstances:
    """A condition sampler over a few instances.

    Attributes:
        feature: float32 (M, F), rows of length 1.
        label: labels of the neighbours of each, int64 (M, k); None for a model without labels.
    """

    feature: Tensor
    label: Tensor | None = None

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw an instance for each of ``n`` images, and the label of a random neighbour of it."""
        row = torch.randint(len(self.feature), (n,), generator=generator)
        if self.label is None:
            return Condition(instance=self.feature[row])
        column = torch.randint(self.label.shape[1], (n,), generator=generator)
        return Condition(label=self.label[row, column], instance=self.feature[row])

    def tensors(self, half: bool) -> dict[str, Tensor]:
        """Return what is written with the weights."""
        kept = {f"{PREFIX}feature": self.feature.half() if half else self.feature.float()}
        if self.label is not None:
            kept[f"{PREFIX}label"] = self.label.to(torch.int16)
        return {name: value.contiguous() for name, value in kept.items()}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], dim: int, num_classes: int
    ) -> StoredInstances | None:
        """Return what :meth:`tensors` wrote, None if there is nothing.

        Args:
            tensors: of a file of weights.
            dim: length of the features that the generator takes; 0 if it does not say.
            num_classes: that it knows, 0 for none: labels are then left out.

        Raises:
            ValueError: instances that no generator of these sizes was trained with.
        """
        feature, label = tensors.get(f"{PREFIX}feature"), tensors.get(f"{PREFIX}label")
        if feature is None:
            return None
        if feature.ndim != 2 or not len(feature) or feature.shape[1] != (dim or feature.shape[1]):
            raise ValueError(f"its instances are {tuple(feature.shape)}, expected (any number, {dim})")
        if not bool(torch.isfinite(feature.float()).all()):
            raise ValueError("its instances hold NaN or infinite values")
        rows = torch.nn.functional.normalize(feature.float())
        if not num_classes:
            return cls(rows)
        if label is None or label.is_floating_point() or label.ndim != 2 or not label.numel():
            raise ValueError(f"its instances have no labels, and the generator has {num_classes} classes")
        if len(label) != len(rows) or int(label.min()) < 0 or int(label.max()) >= num_classes:
            raise ValueError(f"its instances' labels are not rows of {num_classes} classes")
        return cls(rows, label.long())

    @classmethod
    def from_store(cls, store: InstanceStore, labelled: bool) -> StoredInstances:
        """Return the instances that k-means selected.

        Raises:
            StoreError: none are selected, or labels are wanted and there are none.
        """
        chosen = store.selected()
        if not labelled:
            return cls(store.features(chosen))
        if store.labels is None:
            raise StoreError(f"{store.root} has no labels. {store.rebuild_hint()}")
        return cls(store.features(chosen), store.labels[store.neighbours(chosen)[:, :LABELS]])


def extractor_record(store: InstanceStore) -> dict[str, Any]:
    """Return what is needed to find the instance of any image: extractor and size of the images."""
    metadata = store.metadata
    return {
        "config": metadata["extractor"].get("config", {}),
        "describe": metadata["extractor"]["describe"],
        "image_size": metadata.get("dataset", {}).get("image_size"),
    }


def store_of(condition_sampler: Mapping[str, Any], origin: Origin) -> InstanceStore | None:
    """Return the store that a sampler's config names, None for a sampler of something else.

    Args:
        condition_sampler: the config.
        origin: where it comes from.

    Raises:
        FileNotFoundError, StoreError: it is not there, or damaged.
        RefusedConfigError: it lies where the model must not name files.
    """
    source = condition_sampler.get("instance_store")
    if source is None:
        return None
    return open_store(checked(condition_sampler, origin, "condition_sampler")["instance_store"])
