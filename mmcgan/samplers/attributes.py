"""Distributions of attributes for the images asked of the generator; draws are as in ``label.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.registry import DATASETS, SAMPLERS
from mmcgan.samplers.base import ConditionSampler
from mmcgan.structures import Condition


@SAMPLERS.register_module()
class UniformAttributes(ConditionSampler):
    """Every exclusive group uniform, every free attribute on with ``probability``, all independent.

    Asks for every combination, also for those that no training image has.

    Args:
        attribute_groups: see :meth:`~mmcgan.attributes.AttributeGroups.from_config`.
        probability: of a free attribute.

    Raises:
        ValueError: bad groups, or ``probability`` outside [0, 1].
    """

    def __init__(self, attribute_groups: Mapping[str, Any], probability: float = 0.5) -> None:
        self.groups = AttributeGroups.from_config(attribute_groups)
        if not 0 <= probability <= 1:
            raise ValueError(f"UniformAttributes: probability must be in [0, 1], got {probability}")
        self.probability = probability

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw attributes, float32 (n, A)."""
        device = generator.device
        attributes = torch.zeros(n, len(self.groups), device=device)
        for group in self.groups:
            size = len(group.names)
            if group.exclusive:
                place = torch.randint(size, (n, 1), generator=generator, device=device)
                attributes.scatter_(1, group.start + place, 1.0)
            else:
                uniform = torch.rand(n, size, generator=generator, device=device)
                attributes[:, group.columns] = (uniform < self.probability).float()
        return Condition(attributes=attributes)


class _ListedAttributes(ConditionSampler):
    """Rows of ``combinations`` (K, A), drawn independently with ``weights`` (K,)."""

    def __init__(self, groups: AttributeGroups, combinations: Tensor, weights: Tensor) -> None:
        self.groups, self.combinations = groups, combinations.float()
        self.probabilities = weights.double() / weights.double().sum()

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw attributes, float32 (n, A)."""
        device = generator.device
        weights = self.probabilities.to(device)
        row = torch.multinomial(weights, n, replacement=True, generator=generator)
        return Condition(attributes=self.combinations.to(device)[row])


@SAMPLERS.register_module()
class EmpiricalAttributes(_ListedAttributes):
    """Combinations with their joint frequencies in the training set; unseen ones are never asked for.

    Args:
        attribute_groups: see :meth:`~mmcgan.attributes.AttributeGroups.from_config`.
        attribute_counts: ``[[positive columns], number of images]`` of every combination; a data set
            with few of them says it by itself.
        dataset: config of a set with attributes, which are counted where ``attribute_counts`` are not known:
            for sets of many combinations.

    Raises:
        ValueError: neither counts nor data set, or counts that are no combinations of the groups.
    """

    def __init__(
        self,
        attribute_groups: Mapping[str, Any],
        attribute_counts: Sequence[Sequence[Any]] | None = None,
        dataset: Mapping[str, Any] | None = None,
    ) -> None:
        groups = AttributeGroups.from_config(attribute_groups)
        if attribute_counts is None and dataset is not None:
            attribute_counts = groups.count(_attributes_of(dataset, groups))
        if not attribute_counts:
            raise ValueError(
                "EmpiricalAttributes: attribute_counts is missing (the data set has too many combinations to "
                "list them, or no attributes); give dataset=dict(type=...), whose attributes are counted"
            )
        rows = torch.zeros(len(attribute_counts), len(groups))
        for row, (columns, _) in zip(rows, attribute_counts, strict=True):
            outside = [column for column in columns if not 0 <= column < len(groups)]
            if outside:
                raise ValueError(
                    f"EmpiricalAttributes: attribute_counts names column {outside[0]}; the groups have "
                    f"0..{len(groups) - 1}"
                )
            row[list(columns)] = 1
        groups.check(rows, "EmpiricalAttributes: attribute_counts")
        counts = torch.tensor([float(count) for _, count in attribute_counts])
        if not (counts >= 0).all() or not counts.sum() > 0:
            raise ValueError("EmpiricalAttributes: attribute_counts must be 0 or more, and not all 0")
        super().__init__(groups, rows, counts)


@SAMPLERS.register_module()
class ChosenAttributes(_ListedAttributes):
    """Only what is chosen, seen in training or not; what is left open is uniform.

    Args:
        attribute_groups: see :meth:`~mmcgan.attributes.AttributeGroups.from_config`.
        attributes: group -> attribute, such as ``dict(digit="3", domain="textured")``, or a list of such.

    Raises:
        ValueError: an unknown group or attribute; suggests names.
    """

    def __init__(
        self,
        attribute_groups: Mapping[str, Any],
        attributes: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    ) -> None:
        groups = AttributeGroups.from_config(attribute_groups)
        choices = [attributes] if isinstance(attributes, Mapping) else list(attributes)
        if not choices:
            raise ValueError("ChosenAttributes: attributes is an empty list; nothing is chosen")
        rows = torch.cat([groups.matching(choice) for choice in choices])
        super().__init__(groups, rows, torch.ones(len(rows)))


def _attributes_of(dataset: Mapping[str, Any], groups: AttributeGroups) -> Tensor:
    built = DATASETS.build(dict(dataset))
    own = built.groups
    if own is None or own.to_config() != groups.to_config():
        found = "no attributes" if own is None else f"other attribute groups: {own.describe()}"
        raise ValueError(f"EmpiricalAttributes: {dataset.get('type')} has {found}")
    return built.attributes
