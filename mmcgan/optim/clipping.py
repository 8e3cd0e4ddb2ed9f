"""Clipping of gradients of which some are cut into slices over ranks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm


def clip_slices(
    whole: list[nn.Parameter],
    cut: list[nn.Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Clip the norm of the gradients of both kinds of parameters together, in place; return it.

    torch's ``clip_grad_norm_``, whose arguments these are, takes either kind, but not both at once.

    Raises:
        RuntimeError: ``error_if_nonfinite``, and the norm is not.
    """
    norms = [get_total_norm([p.grad for p in some if p.grad is not None], norm_type) for some in (whole, cut)]
    total = torch.stack([n.full_tensor() if hasattr(n, "full_tensor") else n for n in norms]).norm(norm_type)
    if error_if_nonfinite and not torch.isfinite(total):
        raise RuntimeError(f"the norm of the gradients is {float(total)}")
    for some in (whole, cut):
        clip_grads_with_norm_(some, max_norm, total)
    return total
