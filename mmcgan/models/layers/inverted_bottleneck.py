"""Building parts of R3GAN's networks (Huang et al. 2024, "The GAN is dead; long live the GAN!", Sec. 4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.resample import FIRFilter

SLOPE = 0.2  # of the leaky rectifiers
BOTTOM = 4  # height and width of the smallest maps

#: R3GAN's filter of one direction, before it is convolved with [1, 1].
RESAMPLING = (1.0, 2.0, 1.0)


def resampling_filter(taps: Sequence[float]) -> FIRFilter:
    """Return the low-pass filter that R3GAN makes of ``taps``: their convolution with [1, 1], normalised."""
    return FIRFilter(np.convolve(np.asarray(taps, dtype=float), [1.0, 1.0]).tolist())


def start_normal(weight: Tensor, gain: float = 1.0) -> None:
    """Fill ``weight`` with N(0, gain / sqrt(fan-in)); fan-in is what one output sees, so per group."""
    with torch.no_grad():
        weight.normal_(0.0, gain / math.sqrt(weight[0].numel()))


@dataclass(frozen=True, kw_only=True)
class BottleneckOptions:
    """How the stages of R3GAN's networks are made.

    Attributes:
        expansion: how much wider the middle of a block is.
        kernel_size: of the middle convolution.
        resampling: taps of the low-pass filter, convolved with [1, 1] before use.
        full_precision_stages: stages next to 4 x 4 that compute in float32 under autocast; R3GAN keeps one
            at 32 and 64 px and three at 256 px.
    """

    expansion: int = 2
    kernel_size: int = 3
    resampling: Sequence[float] = RESAMPLING
    full_precision_stages: int = 1

    def factory(self, num_blocks: int) -> Callable[[int, int], InvertedBottleneck]:
        """Return what makes a block of (channels, groups) in a network of ``num_blocks``."""
        return partial(
            InvertedBottleneck,
            expansion=self.expansion,
            kernel_size=self.kernel_size,
            num_blocks=num_blocks,
        )


class InvertedBottleneck(nn.Module):
    """x plus 1x1 up, grouped k x k, 1x1 down; no normalisation, biases and leaky rectifiers inside.

    Args:
        channels: of input and output.
        groups: of the convolution in the middle (R3GAN's cardinality); divides ``channels * expansion``.
        expansion: how many times wider the middle is.
        kernel_size: of the convolution in the middle, odd.
        num_blocks: blocks of the whole network. The variance of two of its convolutions falls with it and
            the third starts at 0, so that depth does not change the size of activations (Fixup).

    Raises:
        ValueError: an even kernel, or groups that do not divide the middle.
    """

    def __init__(self, channels: int, groups: int, expansion: int, kernel_size: int, num_blocks: int) -> None:
        super().__init__()
        inner = channels * expansion
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        if groups < 1 or inner % groups:
            raise ValueError(f"groups={groups} do not divide the {inner} channels inside a block")
        self.conv1 = nn.Conv2d(channels, inner, 1)
        self.conv2 = nn.Conv2d(inner, inner, kernel_size, padding=kernel_size // 2, groups=groups)
        self.conv3 = nn.Conv2d(inner, channels, 1, bias=False)
        gain = math.sqrt(2 / (1 + SLOPE**2)) * num_blocks**-0.25
        for conv in (self.conv1, self.conv2):
            start_normal(conv.weight, gain)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)
        nn.init.zeros_(self.conv3.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        inside = F.leaky_relu(self.conv1(x), SLOPE)
        inside = F.leaky_relu(self.conv2(inside), SLOPE)
        return x + self.conv3(inside)


class Enlarge(nn.Module):
    """A 1x1 convolution if the width changes, then doubling through a low-pass filter.

    Args:
        in_channels, out_channels: widths before and after.
        taps: see :func:`resampling_filter`.
    """

    def __init__(self, in_channels: int, out_channels: int, taps: Sequence[float] = RESAMPLING) -> None:
        super().__init__()
        self.conv = change_of_width(in_channels, out_channels)
        self.filter = resampling_filter(taps)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, 2H, 2W)."""
        return self.filter.upsample(self.conv(x))


class Reduce(nn.Module):
    """Halving through a low-pass filter, then a 1x1 convolution if the width changes.

    Args:
        in_channels, out_channels: widths before and after.
        taps: see :func:`resampling_filter`.
    """

    def __init__(self, in_channels: int, out_channels: int, taps: Sequence[float] = RESAMPLING) -> None:
        super().__init__()
        self.filter = resampling_filter(taps)
        self.conv = change_of_width(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H/2, W/2), rounded down."""
        return self.conv(self.filter.downsample(x))


def change_of_width(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 1x1 convolution without bias, or nothing if the widths are equal."""
    if in_channels == out_channels:
        return nn.Identity()
    conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    start_normal(conv.weight)
    return conv


class GenerativeBasis(nn.Module):
    """Learned 4x4 maps, each scaled by one entry of a linear map of the latent.

    Args:
        latent_dim: length of what comes in.
        channels: number of maps.
    """

    def __init__(self, latent_dim: int, channels: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(channels, BOTTOM, BOTTOM))
        self.linear = nn.Linear(latent_dim, channels, bias=False)
        start_normal(self.linear.weight)

    def forward(self, latent: Tensor) -> Tensor:
        """Map (N, latent_dim) to (N, channels, 4, 4)."""
        return self.maps * self.linear(latent)[:, :, None, None]


class DiscriminativeBasis(nn.Module):
    """A depthwise 4x4 convolution that reads each map of 4x4 as one number.

    Args:
        channels: number of maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, BOTTOM, groups=channels, bias=False)
        start_normal(self.conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, 4, 4) to (N, C)."""
        return self.conv(x).flatten(1)


def stage_plan(
    owner: str, image_size: int, channels: Sequence[int], groups: Sequence[int], blocks: Sequence[int]
) -> None:
    """Check that widths, groups and numbers of blocks describe stages from 4 x 4 to ``image_size``.

    Raises:
        ValueError: lists of different lengths, numbers below 1, or another number of stages than the size
            needs.
    """
    stages = (image_size // BOTTOM).bit_length()
    if image_size < 2 * BOTTOM or image_size != BOTTOM << (stages - 1):
        raise ValueError(f"{owner}: image_size must be 8, 16, 32, 64, ..., got {image_size}")
    for name, values in (("channels", channels), ("groups", groups), ("blocks", blocks)):
        if len(values) != stages:
            raise ValueError(
                f"{owner}: image_size={image_size} has {stages} stages, from 4 x 4 to the image; "
                f"{name} has {len(values)} entries: {list(values)}"
            )
        if min(values) < (0 if name == "blocks" else 1):
            raise ValueError(f"{owner}: {name} must be positive, got {list(values)}")
