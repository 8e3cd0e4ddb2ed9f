"""Parts of a network that keep full precision under autocast."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def full_precision(device: torch.device, wanted: bool = True) -> AbstractContextManager[object]:
    """Return a context in which autocast is off, if ``wanted``; otherwise one that changes nothing.

    Tensors that come in keep their type: the caller's first layer must be given float32 or wider.
    """
    return torch.autocast(device.type, enabled=False) if wanted else nullcontext()
