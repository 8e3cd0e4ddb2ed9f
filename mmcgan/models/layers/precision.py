"""Parts of a network that keep full precision under autocast."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

REDUCED = (torch.bfloat16, torch.float16)


def full_precision(x: Tensor, wanted: bool = True) -> AbstractContextManager[object]:
    """Return a context with autocast off where ``x`` lies, or without effect unless ``wanted``.

    Statistics and small maps stay in float32 so. Tensors that come in keep their type: the caller's first
    layer must be given float32 or wider. The device ``meta``, on which shapes alone are computed, knows no
    autocast.
    """
    if not wanted or x.is_meta:
        return nullcontext()
    return torch.autocast(x.device.type, enabled=False)


def in_float32_on_processors(
    convolution: Callable[..., Tensor], x: Tensor, weight: Tensor, **options: int
) -> Tensor:
    """Return a depthwise convolution of a stride, or a transposed one, of the type of ``x``.

    Of neither, and of the first one's gradient, oneDNN has a fast form in reduced precision: each takes 50 to
    100 times as long as in float32 (benchmarks/strided_filters.py). Elsewhere autocast decides, as ever.

    Args:
        convolution: of ``torch.nn.functional``.
        x: (N, C, H, W).
        weight: its kernels.
        options: of ``convolution``.
    """
    reduced = x.dtype in REDUCED
    if x.device.type != "cpu" or not (reduced or torch.is_autocast_enabled("cpu")):
        return convolution(x, weight, **options)
    with full_precision(x):
        wide = x.float() if reduced else x
        return convolution(wide, weight.to(wide.dtype), **options).to(x.dtype)


def widen_strided_filters(network: nn.Module) -> None:
    """Let the depthwise convolutions of a stride in ``network`` pass gradients on in float32.

    For networks that others wrote: the class of such a layer becomes a subclass of its own, so that names,
    weights and files stay what they are.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and 1 < layer.groups == layer.in_channels and max(layer.stride) > 1:
            kind: Any = type(layer)
            layer.__class__ = _widened(kind)


@cache
def _widened(kind: Any) -> Any:
    class Widened(kind):
        def forward(self, x: Tensor) -> Tensor:
            plain = super().forward
            if not x.requires_grad or self.weight.dtype in REDUCED:
                return plain(x)
            return in_float32_on_processors(lambda wide, _: plain(wide), x, self.weight)

    return Widened
