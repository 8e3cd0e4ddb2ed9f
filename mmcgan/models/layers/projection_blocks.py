"""The layers of projected discriminators (Sauer et al. 2021, "Projected GANs Converge Faster", Sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.factories import conv2d
from mmcgan.models.layers.normalization import batch_norm
from mmcgan.models.layers.spectral_norm import SpectralNormArg

LEAK = 0.2
MIXINGS = ("none", "channels", "scales")


class RandomMixing(nn.Module):
    """Frozen random 1x1 convolutions that mix the channels of every map, then maps with coarser ones.

    Cross-channel mixing is one convolution a map. Cross-scale mixing goes from the coarsest map to the
    finest: add what comes from below, enlarge by 2 (bilinear, corners aligned), convolve; every map ends at
    twice its size. With ``expand`` channels double from map to map: w, 2w, 4w, ... after the former, and half
    of that (the finest map's stay) after the latter.

    Args:
        channels: of the maps, the finest first.
        width: w above.
        mixing: ``scales`` (both), ``channels`` (the former alone), or ``none``.
        expand: see above; otherwise w everywhere.

    Attributes:
        out_channels: of the mixed maps.

    Raises:
        ValueError: another ``mixing``.
    """

    def __init__(
        self, channels: Sequence[int], width: int = 64, mixing: str = "scales", expand: bool = True
    ) -> None:
        super().__init__()
        if mixing not in MIXINGS:
            raise ValueError(f"mixing must be one of {MIXINGS}, got {mixing!r}")
        if width < 1:
            raise ValueError(f"mixed_channels must be at least 1, got {width}")
        self.out_channels = list(channels)
        self.channels, self.scales = nn.ModuleList(), nn.ModuleList()
        if mixing != "none":
            widths = [width << index if expand else width for index in range(len(channels))]
            self.channels.extend(nn.Conv2d(a, b, 1) for a, b in zip(channels, widths, strict=True))
            self.out_channels = widths
        if mixing == "scales":
            mixed = [self.out_channels[0], *self.out_channels[:-1]]
            self.scales.extend(nn.Conv2d(a, b, 1) for a, b in zip(self.out_channels, mixed, strict=True))
            self.out_channels = mixed
        self.requires_grad_(False)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the mixed maps of ``maps`` (N, C_i, h_i, w_i), the finest first in either."""
        mixed = list(maps)
        if self.channels:
            mixed = [conv(x) for conv, x in zip(self.channels, mixed, strict=True)]
        if not self.scales:
            return mixed
        below: Tensor | None = None
        for index in reversed(range(len(mixed))):
            below = fuse(self.scales[index], mixed[index], below)
            mixed[index] = below
        return mixed


def fuse(conv: nn.Module, x: Tensor, below: Tensor | None = None) -> Tensor:
    """Return ``conv`` of ``x`` (plus ``below``, of the same shape) at twice its size."""
    joined = x if below is None else below + x
    return conv(F.interpolate(joined, scale_factor=2, mode="bilinear", align_corners=True))


@dataclass(frozen=True, kw_only=True)
class MixingOptions:
    """How the maps of a frozen network are mixed, see :class:`RandomMixing`.

    Attributes:
        mixing: see there.
        mixed_channels: its ``width``.
        expand: see there.
    """

    mixing: str = "scales"
    mixed_channels: int = 64
    expand: bool = True

    def network(self, channels: Sequence[int]) -> RandomMixing:
        """Return what mixes maps of ``channels``."""
        return RandomMixing(channels, self.mixed_channels, self.mixing, self.expand)


@dataclass(frozen=True, kw_only=True)
class ScaleOptions:
    """The trainable layers of one scale, see :class:`ScaleDiscriminator`.

    Attributes:
        max_channels, min_channels, entry_convolution, separable, patch: see there.
        spectral_norm: of the trainable convolutions.
    """

    max_channels: int = 512
    min_channels: int = 64
    entry_convolution: bool = False
    separable: bool = False
    patch: bool = False
    spectral_norm: SpectralNormArg = None


class ReducingBlock(nn.Module):
    """4x4 convolution of stride 2, batch norm, leaky ReLU.

    Args:
        in_channels, out_channels: channels.
        separable: 3x3 depthwise and 1x1 convolution, batch norm, leaky ReLU, 2x2 average pooling instead.
        patch: a 1x1 convolution, batch norm and leaky ReLU more.
        spectral_norm: of the convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        separable: bool = False,
        patch: bool = False,
        spectral_norm: SpectralNormArg = None,
    ) -> None:
        super().__init__()
        self.separable, norm = separable, spectral_norm
        if separable:
            self.depthwise = conv2d(
                in_channels, in_channels, 3, padding=1, bias=False, groups=in_channels, spectral_norm=norm
            )
            self.conv = conv2d(in_channels, out_channels, 1, bias=False, spectral_norm=norm)
        else:
            self.conv = conv2d(in_channels, out_channels, 4, stride=2, padding=1, spectral_norm=norm)
        self.norm = batch_norm(out_channels)
        self.patch_conv, self.patch_norm = None, None
        if patch:
            self.patch_conv = conv2d(out_channels, out_channels, 1, bias=False, spectral_norm=norm)
            self.patch_norm = batch_norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, h, w) to (N, out, h // 2, w // 2)."""
        if self.separable:
            x = self.depthwise(x)
        x = F.leaky_relu(self.norm(self.conv(x)), LEAK)
        if self.separable:
            x = F.avg_pool2d(x, 2)
        if self.patch_conv is not None and self.patch_norm is not None:
            x = F.leaky_relu(self.patch_norm(self.patch_conv(x)), LEAK)
        return x


class ScaleDiscriminator(nn.Sequential):
    """The trainable layers of one scale: reducing blocks, as many as make the map small.

    Args:
        in_channels: of the projected map.
        blocks: how many blocks.
        max_channels: width of the last block; halved by every block before it.
        min_channels: but no less than this.
        entry_convolution: a 3x3 convolution without bias and a leaky ReLU in front, which brings the map to
            the width of the table.
        separable, patch, spectral_norm: see :class:`ReducingBlock`.
    """

    def __init__(
        self,
        in_channels: int,
        blocks: int,
        max_channels: int = 512,
        min_channels: int = 64,
        *,
        entry_convolution: bool = False,
        separable: bool = False,
        patch: bool = False,
        spectral_norm: SpectralNormArg = None,
    ) -> None:
        least = min(min_channels, max_channels)
        widths = [max(max_channels >> level, least) for level in reversed(range(blocks + 1))]
        layers: list[nn.Module] = []
        if entry_convolution:
            conv = conv2d(in_channels, widths[0], 3, padding=1, bias=False, spectral_norm=spectral_norm)
            layers.append(nn.Sequential(conv, nn.LeakyReLU(LEAK)))
        else:
            widths[0] = in_channels
        options = {"separable": separable, "patch": patch}
        layers += [ReducingBlock(a, b, spectral_norm=spectral_norm, **options) for a, b in pairwise(widths)]
        super().__init__(*layers)
