"""Any head on every scale of a backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.contracts import declared
from mmcgan.models.heads.base import Head, emits_inside
from mmcgan.registry import HEADS
from mmcgan.structures import Condition

#: what a head may look at that does not say what it reads
FEATURES = ("pooled", "map")


@HEADS.register_module()
class EachScale(Head):
    """One head of the same kind on each scale of a backbone; emits ``<tensor>_<scale>``.

    A loss that asks for ``adv.logit`` is averaged over ``adv.logit_0``, ``adv.logit_1``, ...; one that names
    scales in a list is averaged over those. Heads of different scales share no parameters.

    Args:
        in_channels: of the features of every scale.
        head: config of the head.
        scales: numbers of the scales, the finest is 0; or how many from 0 on.

    Raises:
        ValueError: no scales, a scale twice, or a negative one.
    """

    def __init__(self, in_channels: int, head: dict[str, Any], scales: int | Sequence[int]) -> None:
        super().__init__()
        self.scales = numbers(scales)
        self.parts = nn.ModuleList(HEADS.build({"in_channels": in_channels, **head}) for _ in self.scales)
        first = self._heads()[0]
        self.requires, self.follows_init = first.requires, first.follows_init
        self.emits = tuple(f"{name}_{scale}" for scale in self.scales for name in first.emits)
        #: what it looks at
        self.reads = tuple(f"{name}_{scale}" for scale in self.scales for name in first.reads or FEATURES)
        least = declared(first, "least_sides").items()
        self.least_sides = {f"{name}_{scale}": side for scale in self.scales for name, side in least}

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return what a head of these settings emits; None if the settings do not tell."""
        emits = emits_inside(settings)
        if emits is None or "scales" not in settings:
            return None
        return tuple(f"{name}_{scale}" for scale in numbers(settings["scales"]) for name in emits)

    def _heads(self) -> list[Head]:
        return list(self.parts)  # type: ignore[arg-type]

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return the tensors of all scales."""
        found: dict[str, Tensor] = {}
        for scale, head in zip(self.scales, self._heads(), strict=True):
            own = {name: features[f"{name}_{scale}"] for name in head.reads or FEATURES}
            found |= {f"{name}_{scale}": value for name, value in head(own, condition).items()}
        return found

    def realness(self, outputs: Mapping[str, Tensor]) -> Tensor | None:
        """Return the mean over the scales, (N,), or None if the heads do not judge that."""
        return _mean([head.realness(self._of(outputs, i)) for i, head in enumerate(self._heads())])

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor | None:
        """Return the mean over the scales, (N, num_classes), or None if the heads do not classify."""
        return _mean([head.class_scores(self._of(outputs, i)) for i, head in enumerate(self._heads())])

    def _of(self, outputs: Mapping[str, Tensor], index: int) -> dict[str, Tensor]:
        end = f"_{self.scales[index]}"
        return {name.removesuffix(end): value for name, value in outputs.items() if name.endswith(end)}


def numbers(scales: int | Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of scales.

    Raises:
        ValueError: none, one of them twice, or a negative one.
    """
    found = tuple(range(scales)) if isinstance(scales, int) else tuple(scales)
    if not found or min(found) < 0 or len(set(found)) != len(found):
        raise ValueError(f"EachScale: scales must be a count of at least 1 or distinct numbers, got {scales}")
    return found


def _mean(values: Sequence[Tensor | None]) -> Tensor | None:
    known = [value for value in values if value is not None]
    return torch.stack(known).mean(0) if known else None
