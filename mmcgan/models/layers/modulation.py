"""Style-modulated convolutions (StyleGAN2, Sec. 2.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcgan.models.layers.equalized import (
    EqualizedLinear,
    clamp_to,
    rectify,
    resized_convolution,
)
from mmcgan.models.layers.precision import full_precision
from mmcgan.models.layers.resample import BINOMIAL, FIRFilter

#: Keeps the demodulation finite where a style switches all channels off.
DEMODULATION_EPS = 1e-8


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    *,
    demodulate: bool = True,
    resize: str | None = None,
    fir: FIRFilter | None = None,
) -> Tensor:
    """Convolve every sample by its own weight ``style_i * weight_oi``, with outputs of unit variance.

    The features are scaled instead of the weights: by the style before one ordinary convolution, by
    the demodulation behind it. That equals a convolution per sample up to rounding (Eq. 1 and 3) and
    is faster on a CPU than a grouped one.

    Args:
        x: (N, in, H, W).
        weight: (out, in, k, k), k odd.
        style: (N, in), float32.
        demodulate: divide by the expected standard deviation of the output.
        resize, fir: see :func:`mmcgan.models.layers.equalized.resized_convolution`.
    """
    factor = None
    with full_precision(x):
        if demodulate:
            if x.dtype is torch.float16:
                # products would leave the range of half precision: both scales cancel in the factor
                weight = weight / weight.abs().amax() / math.sqrt(weight[0].numel())
                style = style / style.abs().amax(1, keepdim=True)
            energy = style.square() @ weight.to(style.dtype).square().sum((2, 3)).t()
            factor = (energy + DEMODULATION_EPS).rsqrt()
    y = x * style.to(x.dtype)[:, :, None, None]
    y = resized_convolution(y, weight.to(y.dtype), resize, fir)
    return y if factor is None else y * factor.to(y.dtype)[:, :, None, None]


class StyledConv(nn.Module):
    """Modulated 3x3 convolution, noise, bias and leaky rectifier: one layer of the synthesis.

    Args:
        in_channels, out_channels: channels.
        style_dim: length of w.
        size: height and width of the output.
        doubles: whether the output is twice as large as the input.
        taps: of the low-pass filter.
        clamp: see :class:`~mmcgan.models.layers.equalized.EqualizedConv2d`.
    """

    noise: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_dim: int,
        size: int,
        *,
        doubles: bool = False,
        taps: Sequence[float] = BINOMIAL,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.size, self.clamp = size, clamp
        self.style = EqualizedLinear(style_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(size, size))
        self.resize = "double" if doubles else None
        self.filter = FIRFilter(taps) if doubles else None

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None, gain: float = 1.0) -> Tensor:
        """Map (N, in, H, W) to (N, out, size, size) times ``gain``.

        Args:
            x: features.
            w: (N, style_dim).
            noise: broadcastable to (N, 1, size, size), or None for none.
            gain: of the result.
        """
        x = modulated_conv2d(x, self.weight, self.style(w), resize=self.resize, fir=self.filter)
        if noise is not None:
            x = x + (noise * self.noise_strength).to(x.dtype)
        x = rectify(x + self.bias.to(x.dtype)[:, None, None], gain)
        return clamp_to(x, None if self.clamp is None else self.clamp * gain)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to three channels, without demodulation.

    Args:
        in_channels: channels.
        style_dim: length of w.
        clamp: see :class:`~mmcgan.models.layers.equalized.EqualizedConv2d`.
    """

    def __init__(self, in_channels: int, style_dim: int, *, clamp: float | None = None) -> None:
        super().__init__()
        self.clamp, self.scale = clamp, 1 / math.sqrt(in_channels)
        self.style = EqualizedLinear(style_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(3, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, in, H, W) to a float32 image (N, 3, H, W)."""
        x = modulated_conv2d(x, self.weight, self.style(w) * self.scale, demodulate=False)
        return clamp_to(x.to(w.dtype) + self.bias[:, None, None], self.clamp)
