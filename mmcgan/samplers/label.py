"""Label distributions p(y) for the images asked of the generator.

Samplers are pure: a draw is a function of ``n`` and the passed generator. In a distributed
run the model draws for the global batch and keeps its own rows, so that ``BalancedLabel``
balances the global batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import ConditionSampler
from mmcgan.structures import Condition


def _check_num_classes(num_classes: int) -> int:
    if num_classes < 1:
        raise ValueError(
            f"num_classes must be at least 1 to draw labels, got {num_classes}; for a data set "
            "without labels use dict(type='ConstantLabel', label=0)"
        )
    return num_classes


def _class_weights(class_counts: Sequence[float] | Tensor) -> Tensor:
    """Return ``class_counts`` as float64 (C,), checked."""
    weights = torch.as_tensor(class_counts, dtype=torch.float64)
    if weights.ndim != 1 or len(weights) == 0:
        raise ValueError(f"class_counts must list one number per class, got {class_counts!r}")
    bad = (~torch.isfinite(weights) | (weights < 0)).nonzero().flatten().tolist()
    if bad:
        raise ValueError(
            f"class_counts must be finite and not negative; class {bad[0]} has {weights[bad[0]].item()}"
        )
    if not weights.sum() > 0:
        raise ValueError("class_counts are all 0: there is no class to draw")
    return weights


class _WeightedLabel(ConditionSampler):
    """Labels drawn independently with ``probabilities`` (C,), float64."""

    def __init__(self, probabilities: Tensor) -> None:
        self.probabilities = probabilities
        self.num_classes = len(probabilities)

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw labels, int64 (n,)."""
        weights = self.probabilities.to(generator.device)
        label = torch.multinomial(weights, n, replacement=True, generator=generator)
        return Condition(label=label)


@SAMPLERS.register_module()
class UniformLabel(ConditionSampler):
    """y uniform over the classes, independently for each image."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = _check_num_classes(num_classes)

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw labels, int64 (n,)."""
        label = torch.randint(self.num_classes, (n,), generator=generator, device=generator.device)
        return Condition(label=label)


@SAMPLERS.register_module()
class EmpiricalLabel(_WeightedLabel):
    """y with the class frequencies of the training set.

    Raises:
        ValueError: ``class_counts`` is empty, negative, not finite or all zero.
    """

    def __init__(self, class_counts: Sequence[float] | Tensor) -> None:
        weights = _class_weights(class_counts)
        super().__init__(weights / weights.sum())


@SAMPLERS.register_module()
class TemperatureLabel(_WeightedLabel):
    """y with p_T proportional to exp(log p / T) (IC-GAN, App. G).

    T = 1 gives the class frequencies, a growing T approaches the uniform law, a T towards 0
    the most frequent class. A class without images is never drawn.

    Raises:
        ValueError: ``temperature`` is not positive and finite, or bad ``class_counts``.
    """

    def __init__(self, class_counts: Sequence[float] | Tensor, temperature: float) -> None:
        if not (temperature > 0 and math.isfinite(temperature)):
            raise ValueError(f"temperature must be greater than 0 and finite, got {temperature}")
        weights = _class_weights(class_counts)
        super().__init__(torch.softmax(weights.log() / temperature, dim=0))


@SAMPLERS.register_module()
class BalancedLabel(ConditionSampler):
    """Every batch as even as possible: each class n // C times, the rest a random subset of classes.

    Examples:
        >>> from mmcgan.random import make_generator
        >>> label = BalancedLabel(num_classes=3).sample(6, make_generator(0)).label
        >>> label.bincount()
        tensor([2, 2, 2])
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = _check_num_classes(num_classes)

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw labels, int64 (n,), in random order."""
        device = generator.device
        whole = torch.arange(self.num_classes, device=device).repeat(n // self.num_classes)
        classes = torch.randperm(self.num_classes, generator=generator, device=device)
        label = torch.cat([whole, classes[: n % self.num_classes]])
        return Condition(label=label[torch.randperm(n, generator=generator, device=device)])


@SAMPLERS.register_module()
class ConstantLabel(ConditionSampler):
    """Always the same label: one class on purpose, or label 0 for "unconditional" baselines.

    ``num_classes=0`` means the range of labels is not known and not checked.

    Raises:
        ValueError: ``label`` is negative or not below ``num_classes``.
    """

    def __init__(self, label: int = 0, num_classes: int = 0) -> None:
        if label < 0 or 0 < num_classes <= label:
            allowed = f"0..{num_classes - 1}" if num_classes else "0 or more"
            raise ValueError(f"label must be in {allowed}, got {label}")
        self.label = label
        self.num_classes = num_classes

    def sample(self, n: int, generator: Generator) -> Condition:
        """Return ``label`` n times, int64 (n,); draws nothing."""
        return Condition(label=torch.full((n,), self.label, device=generator.device))
