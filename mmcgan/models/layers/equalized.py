"""Layers with an equalised learning rate (Progressive GAN, Sec. 4.1; StyleGAN2).

Weights are stored with unit variance and scaled at run time, by which an optimiser that normalises
gradients moves all of them at the same relative rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.dtypes import at_least_float32
from mmcgan.models.layers.precision import full_precision
from mmcgan.models.layers.resample import BINOMIAL, FIRFilter

LEAKY_SLOPE = 0.2
#: Keeps the variance of a normal input through the leaky rectifier.
LEAKY_GAIN = math.sqrt(2.0)


def rectify(x: Tensor, gain: float = 1.0) -> Tensor:
    """Return the leaky rectifier (slope 0.2) of ``x`` times sqrt(2) times ``gain``."""
    return F.leaky_relu(x, LEAKY_SLOPE) * (LEAKY_GAIN * gain)


def clamp_to(x: Tensor, limit: float | None) -> Tensor:
    """Return ``x`` with every value inside [-limit, limit]; unchanged without a limit."""
    return x if limit is None else x.clamp(-limit, limit)


class EqualizedLinear(nn.Module):
    """Linear map (N, in) -> (N, out) in float32, whose weight is scaled by ``lr_mult / sqrt(in)``.

    Args:
        in_features, out_features: lengths.
        bias: add a bias, scaled by ``lr_mult``.
        rectified: apply :func:`rectify` to the result.
        lr_mult: relative learning rate; 0.01 in mapping networks.
        bias_init: what the scaled bias starts at.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rectified: bool = False,
        lr_mult: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.rectified, self.lr_mult = rectified, lr_mult
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_mult)
        start = torch.full((out_features,), bias_init / lr_mult)
        self.bias = nn.Parameter(start) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out), float32 unless the input or the weight is wider."""
        wide = torch.promote_types(at_least_float32(x).dtype, self.weight.dtype)
        with full_precision(x):
            weight = self.weight * (self.lr_mult / math.sqrt(self.in_features))
            bias = None if self.bias is None else self.bias * self.lr_mult
            y = F.linear(x.to(wide), weight, bias)
            return rectify(y) if self.rectified else y

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f"{self.in_features}, {self.out_features}, lr_mult={self.lr_mult}, rectified={self.rectified}"


class EqualizedConv2d(nn.Module):
    """Convolution whose weight is scaled by ``1 / sqrt(in * kernel^2)``, with optional change of size.

    Args:
        in_channels, out_channels: channels.
        kernel: odd size; padding keeps height and width.
        bias: add a bias.
        rectified: apply :func:`rectify`.
        resize: ``double`` or ``halve`` through a low-pass filter, or None.
        taps: of that filter.
        clamp: values are kept inside ``[-clamp, clamp]`` times the gain (StyleGAN2-ADA, for float16).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        bias: bool = True,
        rectified: bool = True,
        resize: str | None = None,
        taps: Sequence[float] = BINOMIAL,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.kernel, self.rectified, self.resize, self.clamp = kernel, rectified, resize, clamp
        self.scale = 1 / math.sqrt(in_channels * kernel**2)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.filter = FIRFilter(taps) if resize else None

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """Map (N, in, H, W) to (N, out, H', W') times ``gain``."""
        x = resized_convolution(x, self.weight * self.scale, self.resize, self.filter)
        if self.bias is not None:
            x = x + self.bias.to(x.dtype)[:, None, None]
        x = rectify(x, gain) if self.rectified else x * gain
        return clamp_to(x, None if self.clamp is None else self.clamp * gain)


def resized_convolution(x: Tensor, weight: Tensor, resize: str | None, fir: FIRFilter | None) -> Tensor:
    """Convolve ``x`` (N, in, H, W) by ``weight`` (out, in, k, k), doubling or halving it on the way.

    Doubling is a transposed convolution, so that it uses the weight as a true convolution does; the
    other two correlate, as in StyleGAN2.
    """
    kernel = weight.shape[-1]
    if resize is None or fir is None:
        return F.conv2d(x, weight, padding=kernel // 2)
    if resize == "double":
        if kernel == 1:
            return fir.upsample(F.conv2d(x, weight))
        enlarged = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return fir.smooth_enlarged(enlarged, kernel)
    if kernel == 1:
        return F.conv2d(fir.downsample(x), weight)
    return F.conv2d(fir.smooth_before_halving(x, kernel), weight, stride=2)
