"""Numbers on the images' device: copied there once, for a copy from the host is waited for."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def constant(values: tuple[float, ...], like: Tensor) -> Tensor:
    """Return ``values`` as a vector of the type and on the device of ``like``; not to be changed in place."""
    return _constant(values, like.dtype, like.device)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=dtype, device=device)
