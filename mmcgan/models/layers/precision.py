"""Parts of a network that keep full precision under autocast."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def full_precision(x: Tensor, wanted: bool = True) -> AbstractContextManager[object]:
    """Return a context with autocast off where ``x`` lies, or without effect unless ``wanted``.

    Statistics and small maps stay in float32 so. Tensors that come in keep their type: the caller's first
    layer must be given float32 or wider. The device ``meta``, on which shapes alone are computed, knows no
    autocast.
    """
    if not wanted or x.is_meta:
        return nullcontext()
    return torch.autocast(x.device.type, enabled=False)
