"""What an evaluation asks of a generator that is conditioned on attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.datasets.conditions.latents import SeededLatents
from mmcgan.registry import DATASETS, SAMPLERS
from mmcgan.samplers.drawing import ATTRIBUTES, number_source

RULES = ("balanced", "empirical")


@DATASETS.register_module()
class AttributeConditionDataset(SeededLatents):
    """Seeded attributes and latents: item i is a function of (seed, i) alone.

    The counterpart of :class:`~mmcgan.datasets.conditions.base.ConditionDataset`.

    Args:
        size: number of images to generate.
        attribute_groups: see :meth:`~mmcgan.attributes.AttributeGroups.from_config`; the data set's when
            the config is silent.
        attribute_counts: images of every combination, for ``attributes="empirical"``.
        attributes: ``balanced`` (all combinations of the exclusive groups in turn, seen in training or not;
            free attributes on in half of the images), ``empirical`` (joint frequencies of the training set),
            or one combination or several, such as ``dict(digit="3", domain="textured")``, in turn.
        latent_dim: length of a latent vector; filled from the generator when the config is silent.
        latent_sampler: config of the latent law; the model's when the config is silent.
        seed: another seed, other conditions.
        truncation: of the latents, a threshold; None for none.

    Raises:
        ValueError: an argument is missing or out of range; the message names it.
    """

    disk_arguments = ()

    def __init__(
        self,
        size: int,
        attribute_groups: Mapping[str, Any],
        attribute_counts: Sequence[Sequence[Any]] | None = None,
        attributes: str | Mapping[str, Any] | Sequence[Mapping[str, Any]] = "balanced",
        latent_dim: int | None = None,
        latent_sampler: dict[str, Any] | None = None,
        seed: int = 0,
        truncation: float | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"AttributeConditionDataset: size must be at least 1, got {size}")
        super().__init__(latent_dim, latent_sampler, seed, truncation)
        if isinstance(attributes, str) and attributes not in RULES:
            raise ValueError(
                f"AttributeConditionDataset: attributes={attributes!r}: choose {' or '.join(RULES)}, a "
                "combination or a list of them"
            )
        self.size = size
        self.groups = AttributeGroups.from_config(attribute_groups)
        self.rule = attributes if isinstance(attributes, str) else "given"
        named = dict(attribute_groups=attribute_groups)
        self._free = SAMPLERS.build(dict(type="UniformAttributes", **named))
        self._cycle: Tensor | None = None
        if self.rule == "empirical":
            given = dict(attribute_counts=attribute_counts, **named)
            self._empirical = SAMPLERS.build(dict(type="EmpiricalAttributes", **given))
        elif not isinstance(attributes, str):
            chosen = SAMPLERS.build(dict(type="ChosenAttributes", attributes=attributes, **named))
            self._cycle = chosen.combinations

    @property
    def metainfo(self) -> dict[str, Any]:
        """What was asked: size, groups, the rule of the attributes, and of the latents."""
        return dict(
            size=self.size,
            num_classes=0,
            attributes=self.groups.to_config(),
            rule=self.rule,
            **self.latent_metainfo,
        )

    def __len__(self) -> int:
        return self.size

    def _attributes(self, index: int) -> Tensor:
        if self._cycle is not None:
            return self._cycle[index % len(self._cycle)]
        source = number_source(self.seed, ATTRIBUTES, index)
        if self.rule == "empirical":
            return self._empirical.sample(1, source).attributes[0]
        row = self._free.sample(1, source).attributes[0]
        wanted = self.groups.combination(index)
        for group in self.groups.exclusive:
            row[group.columns] = wanted[group.columns]
        return row

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``latent`` float32 (D,) and ``attributes`` float32 (A,).

        Raises:
            IndexError: ``index`` is outside 0..size-1.
        """
        index = int(index)
        if not 0 <= index < self.size:
            raise IndexError(f"AttributeConditionDataset has {self.size} items; asked for {index}")
        return {"latent": self.latents([index])[0], "attributes": self._attributes(index)}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``latent`` float32 (N, D) and ``attributes`` float32 (N, A)."""
        items = [self[index] for index in indices]
        return {name: torch.stack([item[name] for item in items]) for name in ("latent", "attributes")}
