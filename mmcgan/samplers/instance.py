"""Which instances, and with them which labels, the generator is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from mmcgan.array_files import read_array
from mmcgan.instances.store import InstanceStore, open_store
from mmcgan.instances.store_metadata import StoreError
from mmcgan.random import make_generator
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import ConditionSampler
from mmcgan.structures import Condition

LABEL_RULES = ("neighbour", "own")


class InstanceSampler(ConditionSampler):
    """Instances drawn with fixed probabilities, and a label that goes with each.

    With ``num_classes`` > 0 the label is that of a random neighbour of the instance, as in IC-GAN's training
    (h -> y; Casanova et al. 2021, Sec. 2.3), or the instance's own.

    Args:
        instance_store: the store; the data set's is filled in when the config is silent.
        num_classes: 0 asks for no labels.
        k: neighbours a label may come from; None takes all that are stored.
        label: ``neighbour`` or ``own``.
        flip: use the mirrored instance's feature half of the time.

    Raises:
        FileNotFoundError: there is no store.
        StoreError: no labels or mirrored features in the store although asked for, or other classes.
    """

    def __init__(
        self,
        instance_store: str | dict[str, Any],
        num_classes: int = 0,
        k: int | None = None,
        label: str = "neighbour",
        flip: bool = False,
    ) -> None:
        if label not in LABEL_RULES:
            raise ValueError(f"label={label!r}: choose {' or '.join(LABEL_RULES)}")
        self.store = open_store(instance_store)
        self.k = self.store.require_k(k)
        _check_labels(self.store, num_classes)
        if flip and not self.store.flipped:
            raise StoreError(
                f"flip=True: {self.store.root} has no mirrored features. {self.store.rebuild_hint('--flip')}"
            )
        self.num_classes = num_classes
        self.label = label
        self.flip = flip
        self.instances = self.candidates()
        self.weights: Tensor | None = None

    @property
    def number_of_instances(self) -> int:
        """How many instances it draws from."""
        return len(self.instances)

    def candidates(self) -> Tensor:
        """Return the instances that may be drawn, int64 (M,)."""
        return torch.arange(self.store.size)

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor | None]:
        """Draw instances, int64 (n,), and their labels, int64 (n,) or None."""
        index = self.instances[draw_rows(n, len(self.instances), self.weights, generator)]
        if not self.num_classes:
            return index, None
        assert self.store.labels is not None
        if self.label == "own":
            return index, self.store.labels[index]
        return index, self.store.labels[random_neighbour(self.store, index, self.k, generator)]

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw ``instance`` float32 (n, F) and, with classes, ``label`` int64 (n,); on the CPU."""
        index, label = self.draw(n, generator)
        flipped = torch.rand(n, generator=generator) < 0.5 if self.flip else None
        return Condition(label=label, instance=self.store.features(index, flipped))


def _check_labels(store: InstanceStore, num_classes: int) -> None:
    if not num_classes:
        return
    if store.labels is None:
        raise StoreError(
            f"{store.root} has no labels, which a class-conditional model needs (num_classes={num_classes}; "
            f"0 asks for none). Build it from a labelled data set. {store.rebuild_hint()}"
        )
    if store.num_classes != num_classes:
        raise StoreError(
            f"{store.root} has {store.num_classes} classes, num_classes={num_classes} are asked for"
        )


def draw_rows(n: int, size: int, weights: Tensor | None, generator: Generator) -> Tensor:
    """Draw ``n`` of ``size`` rows independently, uniformly or with ``weights`` (size,), int64 (n,)."""
    if weights is None:
        return torch.randint(size, (n,), generator=generator)
    uniform = torch.rand(n, generator=generator, dtype=torch.float64)
    # multinomial takes at most 2^24 categories
    edges = weights.cumsum(0)
    return torch.searchsorted(edges, uniform * edges[-1], right=True).clamp(max=size - 1)


def random_neighbour(store: InstanceStore, index: Tensor, k: int, generator: Generator) -> Tensor:
    """Return one of the ``k`` nearest others of each of ``index`` (n,), uniformly, int64 (n,)."""
    column = torch.randint(k, (len(index), 1), generator=generator)
    return store.neighbours(index).gather(1, column)[:, 0]


@SAMPLERS.register_module()
class AllInstances(InstanceSampler):
    """Every instance of the store, uniformly: what IC-GAN trains with."""

    disk_arguments = ("instance_store",)


@SAMPLERS.register_module()
class KMeansInstances(InstanceSampler):
    """The instances that k-means selected, uniformly: what IC-GAN's figures are computed with.

    Raises:
        StoreError: the store has no k-means selection.
    """

    disk_arguments = ("instance_store",)

    def candidates(self) -> Tensor:
        """Return the selected instances."""
        return self.store.selected()


@SAMPLERS.register_module()
class RandomInstances(InstanceSampler):
    """A fixed random subset of ``size`` instances, uniformly.

    Args:
        size: M.
        seed: decides which; the same subset at every start.

    Raises:
        ValueError: ``size`` is not in 1..N.
    """

    disk_arguments = ("instance_store",)

    def __init__(
        self,
        instance_store: str | dict[str, Any],
        size: int,
        num_classes: int = 0,
        k: int | None = None,
        label: str = "neighbour",
        flip: bool = False,
        seed: int = 0,
    ) -> None:
        self.subset = (size, seed)
        super().__init__(instance_store, num_classes, k, label, flip)

    def candidates(self) -> Tensor:
        """Return the subset."""
        size, seed = self.subset
        if not 1 <= size <= self.store.size:
            raise ValueError(f"RandomInstances: size must be in 1..{self.store.size}, got {size}")
        return torch.randperm(self.store.size, generator=make_generator(seed, "random instances"))[:size]


@SAMPLERS.register_module()
class WeightedInstances(InstanceSampler):
    """Every instance with a probability proportional to its weight.

    Args:
        weights: one number per instance, or a ``.npy`` file of them.

    Raises:
        ValueError: another number of weights, a negative or infinite one, or all zero.
        FileNotFoundError: no such file.
    """

    disk_arguments = ("instance_store", "weights")

    def __init__(
        self,
        instance_store: str | dict[str, Any],
        weights: str | Sequence[float],
        num_classes: int = 0,
        k: int | None = None,
        label: str = "neighbour",
        flip: bool = False,
    ) -> None:
        super().__init__(instance_store, num_classes, k, label, flip)
        self.weights = _read_weights(weights)
        if len(self.weights) != self.store.size:
            raise ValueError(
                f"WeightedInstances: {len(self.weights)} weights for the {self.store.size} instances of "
                f"{self.store.root}"
            )
        if not torch.isfinite(self.weights).all() or self.weights.min() < 0 or self.weights.sum() <= 0:
            raise ValueError("WeightedInstances: weights must be finite, not negative and not all zero")


def _read_weights(weights: str | Sequence[float]) -> Tensor:
    if not isinstance(weights, str | Path):
        return torch.as_tensor(weights, dtype=torch.float64)
    if not Path(weights).is_file():
        raise FileNotFoundError(f"WeightedInstances: no file {weights} with the weights")
    return torch.from_numpy(read_array(weights).astype(np.float64)).flatten()


@SAMPLERS.register_module()
class ClassInstances(InstanceSampler):
    """y -> x -> h: a class, an image of it, and an instance among that image's neighbours.

    The label asked for is y, whatever the class of h (IC-GAN's class-balanced sampling).

    Args:
        class_weights: p(y) up to a factor; None draws every class equally often.
        temperature: draw y with p_T proportional to exp(log p / T), p the class frequencies of the store
            (App. G); excludes ``class_weights``.

    Raises:
        StoreError: the store has no labels.
        ValueError: bad weights or temperature, both given, or weight on a class without images.
    """

    disk_arguments = ("instance_store",)

    def __init__(
        self,
        instance_store: str | dict[str, Any],
        num_classes: int,
        k: int | None = None,
        flip: bool = False,
        class_weights: Sequence[float] | None = None,
        temperature: float | None = None,
    ) -> None:
        if num_classes < 1:
            raise ValueError(f"ClassInstances: num_classes must be at least 1, got {num_classes}")
        super().__init__(instance_store, num_classes, k, "own", flip)
        self.order, self.starts = self.store.class_rows()
        self.class_weights = self._class_weights(class_weights, temperature)

    def _class_weights(self, given: Sequence[float] | None, temperature: float | None) -> Tensor:
        counts = self.starts.diff()
        if given is not None and temperature is not None:
            raise ValueError("ClassInstances: give class_weights or temperature, not both")
        if temperature is not None:
            rule = dict(type="TemperatureLabel", class_counts=counts.tolist(), temperature=temperature)
            return SAMPLERS.build(rule).probabilities
        weights = (counts > 0).double() if given is None else torch.as_tensor(given, dtype=torch.float64)
        if weights.shape != counts.shape or not torch.isfinite(weights).all() or weights.min() < 0:
            raise ValueError(
                f"ClassInstances: class_weights must be {len(counts)} numbers, finite and not negative"
            )
        if weights.sum() <= 0 or bool((weights[counts == 0] > 0).any()):
            raise ValueError("ClassInstances: class_weights are all 0, or ask for a class without images")
        return weights

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor | None]:
        """Draw instances, int64 (n,), and their labels, int64 (n,)."""
        label = draw_rows(n, self.num_classes, self.class_weights, generator)
        counts = self.starts.diff()[label]
        # counts are below 2^53, so that the product stays below counts
        offset = (torch.rand(n, generator=generator, dtype=torch.float64) * counts).long()
        image = self.order[self.starts[label] + offset.minimum(counts - 1)]
        return random_neighbour(self.store, image, self.k, generator), label
