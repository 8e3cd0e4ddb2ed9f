"""Shrinking an image by a fixed Lanczos filter, differentiably."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def lanczos_kernel(factor: int, lobes: int = 2, phase: float = 0.5) -> Tensor:
    """Return the two-dimensional filter, float64 (taps, taps) with sum 1.

    The filter of "Deep Image Prior" (Ulyanov et al. 2018): ``2 lobes factor`` taps between pixel centres for
    phase 0.5, one more around a pixel for phase 0.

    Raises:
        ValueError: a factor or number of lobes below 1, or another phase.
    """
    if factor < 1 or lobes < 1:
        raise ValueError(f"lanczos: factor and lobes must be at least 1, got {factor} and {lobes}")
    if phase not in (0, 0.5):
        raise ValueError(f"lanczos: phase must be 0 or 0.5, got {phase}")
    taps = 2 * lobes * factor + (phase == 0)
    distance = (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / factor
    weight = torch.sinc(distance) * torch.sinc(distance / lobes)
    kernel = torch.outer(weight, weight)
    return kernel / kernel.sum()


def lanczos_downsample(image: Tensor, factor: int, lobes: int = 2, phase: float = 0.5) -> Tensor:
    """Return images (N, C, H, W) at (H // factor, W // factor); borders are replicated.

    Raises:
        ValueError: see :func:`lanczos_kernel`.
    """
    kernel = lanczos_kernel(factor, lobes, phase).to(image)
    taps, channels = kernel.shape[0], image.shape[1]
    border = (taps - 1) // 2 if taps % 2 else (taps - factor) // 2
    padded = F.pad(image, (border,) * 4, mode="replicate")
    return F.conv2d(padded, kernel.expand(channels, 1, taps, taps), stride=factor, groups=channels)
