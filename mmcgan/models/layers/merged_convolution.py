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

from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.spectral_norm import SpectralConv2d
from mmcgan.models.layers.tiled_convolution import DOUBLING, HALVING, convolve

#: From so many positions of the smaller map on, over the batch, the merged form is the faster one.
#: Measured with benchmarks/merged_convolution.py; docs/performance.md has the table.
MERGED_FROM = 256


def worth_merging(positions: int) -> bool:
    """Return whether the merged form is the faster one.

    Both forms grow by channels in and out alike, so that the number of positions decides.

    Args:
        positions: of the smaller map, over all images. While a network is exported for any batch size the
            number is a symbol and the answer no: an exported form must not depend on it.
    """
    return isinstance(positions, int) and positions >= MERGED_FROM


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
    if not worth_merging(x.shape[0] * x.shape[2] * x.shape[3]):
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
    if not worth_merging(x.shape[0] * (x.shape[2] // 2) * (x.shape[3] // 2)):
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
