"""How much of its condition a network looks at: all of it, or a part while conditioning grows."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

NAME = "condition_weight"


class WeighsCondition(nn.Module):
    """Base of modules in which a condition acts, with a weight in [0, 1] for what it adds.

    Without :meth:`weigh_condition` there is no weight: nothing is computed or stored. With it the weight is a
    buffer, so that a checkpoint from the middle of a transition makes the images that were trained.
    """

    def weigh_condition(self, weight: float) -> None:
        """Let the condition act with ``weight``; 0 is none of it, 1 all."""
        if NAME not in self._buffers:
            device = next((p.device for p in self.parameters()), torch.device("cpu"))
            self.register_buffer(NAME, torch.ones((), device=device))
        self.get_buffer(NAME).fill_(weight)

    def weighed(self, value: Tensor) -> Tensor:
        """Return what the condition adds, times its weight."""
        weight = self._buffers.get(NAME)
        return value if weight is None else value * weight.to(value.dtype)

    def between(self, without: Tensor, value: Tensor) -> Tensor:
        """Return ``value`` at weight 1, ``without`` (no condition) at 0, and what lies between."""
        weight = self._buffers.get(NAME)
        return value if weight is None else torch.lerp(without, value, weight.to(value.dtype))

    def adopt_stored(self, names: Container[str]) -> None:
        """Make room for a weight if a checkpoint holds one.

        Args:
            names: of what it holds for this module.
        """
        if NAME in names and NAME not in self._buffers:
            self.weigh_condition(1.0)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        self.adopt_stored({NAME} if f"{prefix}{NAME}" in state_dict else ())
        super()._load_from_state_dict(state_dict, prefix, *rest)


class EmbedsCondition(WeighsCondition):
    """Base of modules that make a vector of a condition.

    Attributes:
        sizes: of the fields that are embedded, by name: a number of classes, a length.
    """

    sizes: Mapping[str, int]


def weighing(network: nn.Module) -> Iterator[Any]:
    """Yield the outermost modules of ``network`` that weigh their condition.

    Any class takes part by a method ``weigh_condition(weight)``; what is inside such a module is its own
    affair.
    """
    if callable(getattr(network, "weigh_condition", None)):
        yield network
        return
    for child in network.children():
        yield from weighing(child)
