"""The one moment of an iteration at which the host waits for the device."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor


def to_numbers(figures: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Return scalars as Python numbers, those of one device in one copy.

    Asking each of them by itself (``item()``, ``float()``) would wait for the device as many times.

    Raises:
        ValueError: a tensor has more than one element.
    """
    waiting: dict[torch.device, dict[str, Tensor]] = {}
    numbers: dict[str, float] = {}
    for name, value in figures.items():
        if not isinstance(value, Tensor):
            numbers[name] = float(value)
        elif value.numel() != 1:
            raise ValueError(f"{name} must be a scalar, got a tensor of shape {tuple(value.shape)}")
        else:
            waiting.setdefault(value.device, {})[name] = value
    for tensors in waiting.values():
        values = [value.detach().reshape(()) for value in tensors.values()]
        dtype = reduce(torch.promote_types, (value.dtype for value in values))
        copied = torch.stack([value.to(dtype) for value in values]).tolist()
        numbers |= dict(zip(tensors, copied, strict=True))
    return {name: numbers[name] for name in figures}
