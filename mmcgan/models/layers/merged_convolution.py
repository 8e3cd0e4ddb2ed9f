"""3x3 convolutions next to a change of size, as one convolution with a 4x4 kernel.

Nearest-neighbour enlargement followed by a 3x3 convolution equals one transposed 4x4 convolution of
stride 2, and a 3x3 convolution followed by 2x2 average pooling equals one 4x4 convolution of stride 2: where
two taps meet the same pixel, or the same input reaches two pooled outputs, the weights add. Either takes 16
products for four positions of the larger map where the two steps take 36.

The parameter stays the 3x3 kernel, so that names, values, spectral norms, regularisers and checkpoints do
not notice; the sums are differentiable as often as one likes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.spectral_norm import SpectralConv2d

#: From so many positions of the smaller map, over the batch, the sums of weights cost less than they save.
#: Measured with benchmarks/merged_convolution.py; docs/performance.md has the table.
MERGED_FROM = 512
#: The same where convolutions run in a 16-bit type: their products are cheaper, the sums are not.
MERGED_FROM_SHORT = 1024
SHORT = (torch.bfloat16, torch.float16)


def worth_merging(x: Tensor, positions: int) -> bool:
    """Return whether the merged form is the faster one.

    Both forms grow by channels in and out alike, so that the number of positions decides.

    Args:
        x: input of the convolution.
        positions: of the smaller map, over all images. While a network is exported for any batch size the
            number is a symbol and the answer no: an exported form must not depend on it.
    """
    if not isinstance(positions, int):
        return False
    short = x.dtype in SHORT or (not x.is_meta and torch.is_autocast_enabled(x.device.type))
    return positions >= (MERGED_FROM_SHORT if short else MERGED_FROM)


def enlarge(x: Tensor) -> Tensor:
    """Repeat every pixel of (N, C, H, W) twice in both directions."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def enlarge_and_convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Enlarge (N, in, H, W) by nearest neighbour, then convolve: (N, out, 2H, 2W).

    Args:
        x: features.
        weight: (out, in, 3, 3), for zero padding by 1.
        bias: (out,).
    """
    if not worth_merging(x, x.shape[0] * x.shape[2] * x.shape[3]):
        return F.conv2d(enlarge(x), weight, bias, padding=1)
    return F.conv_transpose2d(x, enlarging_kernel(weight), bias, stride=2, padding=1)


def convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve (N, in, H, W), then average 2x2 positions: (N, out, H // 2, W // 2).

    An odd last row or column has no partner and is dropped, as by ``avg_pool2d``.

    Args:
        x: features, H and W at least 2.
        weight: (out, in, 3, 3), for zero padding by 1.
        bias: (out,).
    """
    if not worth_merging(x, x.shape[0] * (x.shape[2] // 2) * (x.shape[3] // 2)):
        return F.avg_pool2d(F.conv2d(x, weight, bias, padding=1), 2)
    return F.conv2d(x, pooling_kernel(weight), bias, stride=2, padding=1)


def enlarging_kernel(weight: Tensor) -> Tensor:
    """Return the (in, out, 4, 4) weight of the transposed convolution from one of (out, in, 3, 3)."""
    return _sum_taps(weight.transpose(0, 1), _tap_sums(weight).flip(0), _channels_last(weight))


def pooling_kernel(weight: Tensor) -> Tensor:
    """Return the (out, in, 4, 4) weight of the strided convolution from one of (out, in, 3, 3)."""
    return _sum_taps(weight, _tap_sums(weight) / 4, _channels_last(weight))


def _tap_sums(weight: Tensor) -> Tensor:
    """Return the (16, 9) matrix of zeros and ones that makes 4x4 taps of 3x3 ones.

    Along one axis the four are w0, w0 + w1, w1 + w2 and w2. Made on the weight's device, without a copy
    that the host would wait for.
    """
    one = torch.eye(3, dtype=weight.dtype, device=weight.device)
    axis = F.pad(one, (0, 0, 0, 1)) + F.pad(one, (0, 0, 1, 0))
    return torch.kron(axis, axis)


def _sum_taps(weight: Tensor, sums: Tensor, channels_last: bool) -> Tensor:
    """Return (A, B, 4, 4) from (A, B, 3, 3), in the layout that the convolution is going to use.

    In the weight's own precision whatever the autocast state: rounding comes after the sums.
    """
    # The meta device, on which networks are measured, has no autocast.
    device = "cpu" if weight.is_meta else weight.device.type
    with torch.autocast(device, enabled=False):
        if channels_last:
            taps = weight.permute(0, 2, 3, 1).flatten(1, 2)
            return (sums @ taps).unflatten(1, (4, 4)).permute(0, 3, 1, 2)
        return (weight.flatten(2) @ sums.t()).unflatten(2, (4, 4))


def _channels_last(weight: Tensor) -> bool:
    return weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()


class EnlargingConv2d(nn.Conv2d):
    """Nearest-neighbour enlargement by 2 and a 3x3 convolution, see :func:`enlarge_and_convolve`."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return enlarge_and_convolve(input, weight, bias)


class PoolingConv2d(nn.Conv2d):
    """A 3x3 convolution and 2x2 average pooling, see :func:`convolve_and_pool`."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return convolve_and_pool(input, weight, bias)


class SpectralEnlargingConv2d(EnlargingConv2d, SpectralConv2d):
    """:class:`EnlargingConv2d` with a spectrally normalised weight."""


class SpectralPoolingConv2d(PoolingConv2d, SpectralConv2d):
    """:class:`PoolingConv2d` with a spectrally normalised weight."""
