"""Conditions taken from real images: what a generator is asked for is what they show."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Generator

from mmcgan.condition_fields import condition_of, field_names
from mmcgan.origin import asking, built_for
from mmcgan.registry import DATASETS, SAMPLERS
from mmcgan.samplers.base import ConditionSampler
from mmcgan.structures import Condition


@SAMPLERS.register_module()
class RealCondition(ConditionSampler):
    """In training, the condition of every real image of the mini-batch, in order.

    Label maps can hardly be drawn otherwise, and losses that compare generated with real images
    position by position need it. Where there are no real images (grids, ``sample``), conditions of
    random items of a data set.

    Args:
        dataset: config of that data set, opened when it is first needed; the training one as a rule.
    """

    def __init__(self, dataset: dict[str, Any] | None = None) -> None:
        self.dataset = dataset
        self.origin = asking()

    def from_real(self, condition: Condition) -> Condition:
        """Return the condition of the real images, as it is.

        Raises:
            ValueError: it is empty.
        """
        if not condition.present():
            raise ValueError(
                "RealCondition: the real images carry no condition; the data set must yield one of "
                f"{list(field_names())}"
            )
        return condition

    def sample(self, n: int, generator: Generator) -> Condition:
        """Return the conditions of ``n`` random items of ``dataset``, independently drawn.

        Raises:
            ValueError: there is no ``dataset``.
        """
        index = torch.randint(len(self._items), (n,), generator=generator, device=generator.device)
        return condition_of(self._items.__getitems__(index.tolist())).to(generator.device)

    @cached_property
    def _items(self) -> Any:
        if self.dataset is None:
            raise ValueError(
                "RealCondition: set condition_sampler.dataset to the config of a data set to sample from"
            )
        with built_for(self.origin):
            return DATASETS.build(dict(self.dataset))
