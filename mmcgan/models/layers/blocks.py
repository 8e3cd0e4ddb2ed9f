"""Residual blocks of generators and discriminators (SNGAN, SAGAN, BigGAN)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.factories import activation, conv2d
from mmcgan.models.layers.merged_convolution import enlarge
from mmcgan.models.layers.spectral_norm import SpectralNormArg

#: Makes the normalisation of a number of channels; its module takes (x, condition).
NormFactory = Callable[[int], nn.Module]


class UpBlock(nn.Module):
    """Generator block: norm, activation, x2, 3x3, norm, activation, 3x3, plus x2, 1x1 shortcut.

    ``conv1`` enlarges its own input. The shortcut's convolution and the enlargement commute, so that it runs
    at the lower resolution.

    Args:
        in_channels, out_channels: channels.
        norm: factory of normalisations called as ``norm(x, condition)``.
        upsample: whether both branches are enlarged by nearest neighbour.
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: applied to all convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm: NormFactory,
        upsample: bool = True,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = None,
    ) -> None:
        super().__init__()
        self.upsample = upsample
        self.norm1 = norm(in_channels)
        resize = "double" if upsample else None
        self.conv1 = conv2d(
            in_channels, out_channels, 3, padding=1, spectral_norm=spectral_norm, resize=resize
        )
        self.norm2 = norm(out_channels)
        self.conv2 = conv2d(out_channels, out_channels, 3, padding=1, spectral_norm=spectral_norm)
        self.activation = activation(activation_name)
        learnt = upsample or in_channels != out_channels
        self.shortcut = conv2d(in_channels, out_channels, 1, spectral_norm=spectral_norm) if learnt else None

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map (N, in, H, W) to (N, out, 2H, 2W), or (N, out, H, W) without ``upsample``."""
        h = self.conv1(self.activation(self.norm1(x, condition)))
        h = self.conv2(self.activation(self.norm2(h, condition)))
        if self.shortcut is not None:
            x = self.shortcut(x)
        return h + (enlarge(x) if self.upsample else x)


@dataclass(frozen=True)
class DownBlockOptions:
    """What the discriminators of the literature do differently.

    Attributes:
        wide: hidden channels are the output channels (BigGAN) or the input channels (SNGAN code of
            BigGAN-PyTorch, ``D_thin``).
        activated_shortcut: the shortcut sees the activated input. True for weights trained with
            in-place activations (StudioGAN, MMagic's inplace option).
        activation_name: see :func:`mmcgan.models.layers.activation`.
    """

    wide: bool = True
    activated_shortcut: bool = False
    activation_name: str = "relu"


class DownBlock(nn.Module):
    """Discriminator block: activation, 3x3, activation, 3x3, average pooling, plus a shortcut.

    The first block of a network (``first=True``) has no activation in front and its shortcut pools
    before its normalisation; in later blocks the normalisation comes first. ``conv2`` pools its own output.
    The shortcut's 1x1 convolution and the pooling commute, so that it always runs at the lower resolution.

    Args:
        in_channels, out_channels: channels.
        downsample: whether both branches are halved by average pooling.
        first: see above.
        norm: factory of unconditional normalisations in front of the convolutions (StudioGAN without
            spectral norm), or None.
        options: see :class:`DownBlockOptions`.
        spectral_norm: applied to all convolutions.
        always_project: give the shortcut a convolution even where shapes agree.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        downsample: bool = True,
        first: bool = False,
        norm: NormFactory | None = None,
        options: DownBlockOptions | None = None,
        spectral_norm: SpectralNormArg = None,
        always_project: bool = False,
    ) -> None:
        super().__init__()
        self.options = options or DownBlockOptions()
        hidden = out_channels if self.options.wide else in_channels
        learnt = always_project or downsample or in_channels != out_channels
        self.downsample = downsample
        self.first = first
        self.norm0 = norm(in_channels) if norm and learnt else None
        self.norm1 = norm(in_channels) if norm and not first else None
        self.norm2 = norm(hidden) if norm else None
        self.conv1 = conv2d(in_channels, hidden, 3, padding=1, spectral_norm=spectral_norm)
        resize = "halve" if downsample else None
        self.conv2 = conv2d(hidden, out_channels, 3, padding=1, spectral_norm=spectral_norm, resize=resize)
        self.shortcut = conv2d(in_channels, out_channels, 1, spectral_norm=spectral_norm) if learnt else None
        self.activation = activation(self.options.activation_name)

    def _pool(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2) if self.downsample else x

    def _skip(self, x: Tensor) -> Tensor:
        """Return the shortcut branch."""
        if self.first:
            x = self._pool(x)
        if self.norm0 is not None:
            x = self.norm0(x)
        if not self.first:
            x = self._pool(x)
        return x if self.shortcut is None else self.shortcut(x)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H/2, W/2), or (N, out, H, W) without ``downsample``."""
        h = x
        if self.norm1 is not None:
            h = self.norm1(h)
        if not self.first:
            h = self.activation(h)
            if self.options.activated_shortcut and self.norm1 is None:
                x = h
        h = self.conv1(h)
        if self.norm2 is not None:
            h = self.norm2(h)
        return self.conv2(self.activation(h)) + self._skip(x)
