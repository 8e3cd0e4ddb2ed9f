"""Orthogonal wavelets: the filters with which images are resampled and their bands amplified."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import torch
from torch import Tensor

# Low-pass decomposition filters of Daubechies' least asymmetric wavelets; their sum is sqrt(2).
SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
SYM6 = (
    *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633),
    *(0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252),
    *(-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
)


@cache
def resampling_filter() -> Tensor:
    """Return the sym6 low-pass filter with sum 1, float64 (12,)."""
    taps = np.array(SYM6)
    return torch.from_numpy(taps / taps.sum())


@cache
def filter_bank(bands: int = 4) -> Tensor:
    """Return zero-phase filters that split an image axis into octaves and add up to the identity.

    Row 0 passes the lowest frequencies. Built from autocorrelated sym2 filters by iterated
    two-channel synthesis (ADA, Appendix B); float64 (bands, taps), 43 taps for 4 bands.
    """
    low = np.array(SYM2)
    high = low * (-1.0) ** np.arange(len(low))
    half_low, half_high = (np.convolve(taps, taps[::-1]) / 2 for taps in (low, high))
    rows = np.eye(bands, 1)
    for band in range(1, bands):
        spread = np.zeros((bands, 2 * rows.shape[1] - 1))
        spread[:, ::2] = rows
        rows = np.stack([np.convolve(row, half_low) for row in spread])
        start = (rows.shape[1] - len(half_high)) // 2
        rows[band, start : start + len(half_high)] += half_high
    return torch.from_numpy(rows)


def filter_bank_like(image: Tensor) -> Tensor:
    """Return :func:`filter_bank` in the type and on the device of ``image``; not to be changed in place."""
    return _filter_bank_on(image.dtype, image.device)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _filter_bank_on(dtype: torch.dtype, device: torch.device) -> Tensor:
    return filter_bank().to(device, dtype)
