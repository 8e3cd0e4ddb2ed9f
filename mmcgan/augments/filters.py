"""Filtering a batch of images, every image with its own taps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.augments.pixels import reflect


def filter_images(image: Tensor, taps: Tensor) -> Tensor:
    """Return images filtered along rows and columns, filled in by endless reflection.

    Args:
        image: (N, C, H, W) of any size.
        taps: symmetric filter of each image, (N, K) with odd K.
    """
    return _filter_rows(_filter_rows(image, taps).transpose(2, 3), taps).transpose(2, 3)


def _filter_rows(image: Tensor, taps: Tensor) -> Tensor:
    number, channels, height, width = image.shape
    margin = taps.shape[1] // 2
    reach = torch.arange(-margin, width + margin, device=image.device)
    extended = image.index_select(-1, reflect(reach, width))
    rows = extended.reshape(1, number, channels * height, width + 2 * margin)
    return F.conv2d(rows, taps[:, None, None], groups=number).reshape(image.shape)


def gaussian(deviation: Tensor, length: int) -> Tensor:
    """Return Gaussian filters with sum 1, (N, length), for deviations (N,) in pixels."""
    place = torch.arange(length, device=deviation.device, dtype=deviation.dtype) - (length - 1) / 2
    taps = torch.exp(-0.5 * (place / deviation[:, None]).square())
    return taps / taps.sum(1, keepdim=True)
