"""3x3 convolutions next to a change of size, at a quarter of the products.

Convolutions commute. Averaging 2x2 positions is one, after which every other result is left out, so that it
may come first: a 3x3 convolution and 2x2 average pooling equal 2x2 averages around every corner of a pixel,
then a 3x3 convolution of stride 2. The adjoint of that: nearest-neighbour enlargement and a 3x3 convolution
equal a transposed 3x3 convolution of stride 2, then sums of 2x2 positions. Either takes 9 products for four
positions of the larger map where the two steps take 36.

The weight is used as it is, so that names, values, spectral norms, regularisers and checkpoints do not
notice.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.precision import REDUCED
from mmcgan.models.layers.spectral_norm import SpectralConv2d
from mmcgan.models.layers.tiled_convolution import DOUBLING, HALVING, convolve

#: From so many positions of the smaller map on, over the batch, the merged form is the faster one.
#: Measured with benchmarks/merged_convolution.py; docs/performance.md has the table.
#: 128 would do, too. There one golden step of FastGAN (projected_gan__step_lite_uncond) has gradient norms
#: that are off by 1.4 % in float32 on AVX-512, although in float64 the forms from 256, 128 and 1 on agree
#: with the two steps to 3e-14. From 1 on, where more is merged, its float32 is right to 1.5e-4 again. So it
#: is one draw of rounding, not the form; the more cautious number avoids it.
MERGED_FROM = 256
#: On processors in bfloat16, oneDNN's convolutions of stride 2 with fewer channels are so slow that it is
#: slower: the digits' step, all of whose layers have fewer, takes 0.127 s merged and 0.080 s in two steps.
REDUCED_CHANNELS_FROM = 128


def worth_merging(positions: int) -> bool:
    """Return whether the merged form is the faster one.

    Both forms grow by channels in and out alike, so that the number of positions decides.

    Args:
        positions: of the smaller map, over all images. While a network is exported for any batch size the
            number is a symbol and the answer no: an exported form must not depend on it.
    """
    return isinstance(positions, int) and positions >= MERGED_FROM


def _countable_positions(x: Tensor, weight: Tensor, positions: int) -> int:
    """Return ``positions``, or 0 where reduced precision with so few channels gains nothing by merging."""
    kind = x.device.type
    if kind != "cpu" or min(weight.shape[:2]) >= REDUCED_CHANNELS_FROM:
        return positions
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
    return 0 if dtype in REDUCED else positions


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
    positions = x.shape[0] * x.shape[2] * x.shape[3]
    if not worth_merging(_countable_positions(x, weight, positions)):
        return F.conv2d(enlarge(x), weight, bias, padding=1)
    # Averages instead of sums, of four times as much: multiplying by 4 is exact.
    spread = (4 * weight).flip(2, 3).transpose(0, 1)
    return F.avg_pool2d(convolve(x, spread, bias, DOUBLING), 2, stride=1)


def convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve (N, in, H, W), then average 2x2 positions: (N, out, H // 2, W // 2).

    An odd last row or column has no partner and is dropped, as by ``avg_pool2d``.

    Args:
        x: features, H and W at least 2.
        weight: (out, in, 3, 3), for zero padding by 1.
        bias: (out,).
    """
    positions = x.shape[0] * (x.shape[2] // 2) * (x.shape[3] // 2)
    if not worth_merging(_countable_positions(x, weight, positions)):
        return F.avg_pool2d(F.conv2d(x, weight, bias, padding=1), 2)
    return convolve(F.avg_pool2d(x, 2, stride=1, padding=1), weight, bias, HALVING)


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
