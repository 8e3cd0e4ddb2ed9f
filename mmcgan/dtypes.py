"""Number formats: what stays as wide as it came."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Return ``x``, in float32 if it came out of autocast in a shorter type; float64 stays float64."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
