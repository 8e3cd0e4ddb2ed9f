"""Bottleneck residual blocks of BigGAN-deep (Brock et al., 2019, Appendix B)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.blocks import NormFactory
from mmcgan.models.layers.factories import activation, conv2d
from mmcgan.models.layers.merged_convolution import enlarge
from mmcgan.models.layers.spectral_norm import SpectralNormArg

#: A block works on this part of its channels.
BOTTLENECK = 4


class DeepUpBlock(nn.Module):
    """Generator block: 1x1 to a quarter of the channels, x2, two 3x3, 1x1 back, plus the input.

    Each convolution follows a norm and an activation. The shortcut has no weights: it drops the
    channels that the output lacks and is enlarged. StudioGAN's variant applies a 1x1 convolution in every
    block, which commutes with the enlargement and comes first here. ``conv2`` enlarges its own input.

    Args:
        in_channels, out_channels: channels; without ``projected_shortcut`` the latter is not larger.
        norm: factory of normalisations called as ``norm(x, condition)``.
        upsample: whether both branches are enlarged by nearest neighbour.
        projected_shortcut: StudioGAN's variant.
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: applied to all convolutions.

    Raises:
        ValueError: the shortcut would have to grow channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm: NormFactory,
        upsample: bool = False,
        projected_shortcut: bool = False,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = None,
    ) -> None:
        super().__init__()
        if out_channels > in_channels and not projected_shortcut:
            raise ValueError(
                f"a deep block drops channels in its shortcut: it cannot go from {in_channels} to "
                f"{out_channels} without projected_shortcut=True"
            )
        hidden = in_channels // BOTTLENECK
        self.upsample, self.out_channels = upsample, out_channels
        self.norm1, self.norm2, self.norm3, self.norm4 = (
            norm(channels) for channels in (in_channels, hidden, hidden, hidden)
        )
        self.conv1 = conv2d(in_channels, hidden, 1, spectral_norm=spectral_norm)
        resize = "double" if upsample else None
        self.conv2 = conv2d(hidden, hidden, 3, padding=1, spectral_norm=spectral_norm, resize=resize)
        self.conv3 = conv2d(hidden, hidden, 3, padding=1, spectral_norm=spectral_norm)
        self.conv4 = conv2d(hidden, out_channels, 1, spectral_norm=spectral_norm)
        self.activation = activation(activation_name)
        self.shortcut = (
            conv2d(in_channels, out_channels, 1, spectral_norm=spectral_norm) if projected_shortcut else None
        )

    def _skip(self, x: Tensor) -> Tensor:
        x = x[:, : self.out_channels] if self.shortcut is None else self.shortcut(x)
        return enlarge(x) if self.upsample else x

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map (N, in, H, W) to (N, out, 2H, 2W), or (N, out, H, W) without ``upsample``."""
        h = self.conv1(self.activation(self.norm1(x, condition)))
        h = self.conv2(self.activation(self.norm2(h, condition)))
        h = self.conv3(self.activation(self.norm3(h, condition)))
        return self.conv4(self.activation(self.norm4(h, condition))) + self._skip(x)


class DeepDownBlock(nn.Module):
    """Discriminator block: 1x1 to a quarter of the output channels, two 3x3, pooling, 1x1, plus the input.

    The shortcut is pooled, and a 1x1 convolution makes only those channels that the input lacks.
    StudioGAN's variant pools before the last activation instead of after it, and lets a 1x1 convolution
    make all channels of the shortcut wherever the shape changes.

    Args:
        in_channels, out_channels: channels; without ``projected_shortcut`` the latter is not smaller.
        downsample: whether both branches are halved by average pooling.
        norm: factory of normalisations in front of the convolutions, or None.
        projected_shortcut: StudioGAN's variant.
        activated_shortcut: the shortcut sees the activated input (in-place activations, without norm).
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: applied to all convolutions.

    Raises:
        ValueError: the shortcut would have to drop channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        downsample: bool = False,
        norm: NormFactory | None = None,
        projected_shortcut: bool = False,
        activated_shortcut: bool = False,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = None,
    ) -> None:
        super().__init__()
        grown = out_channels - in_channels
        if grown < 0 and not projected_shortcut:
            raise ValueError(
                f"a deep block adds channels in its shortcut: it cannot go from {in_channels} to "
                f"{out_channels} without projected_shortcut=True"
            )
        hidden = out_channels // BOTTLENECK
        self.downsample = downsample
        self.projected, self.activated_shortcut = projected_shortcut, activated_shortcut
        made = (out_channels if downsample or grown else 0) if projected_shortcut else grown
        self.conv1 = conv2d(in_channels, hidden, 1, spectral_norm=spectral_norm)
        self.conv2 = conv2d(hidden, hidden, 3, padding=1, spectral_norm=spectral_norm)
        # pooled right behind conv3 in StudioGAN's variant, else behind the last activation
        resize = "halve" if downsample and projected_shortcut else None
        self.conv3 = conv2d(hidden, hidden, 3, padding=1, spectral_norm=spectral_norm, resize=resize)
        self.conv4 = conv2d(hidden, out_channels, 1, spectral_norm=spectral_norm)
        self.shortcut = conv2d(in_channels, made, 1, spectral_norm=spectral_norm) if made else None
        self.norm0 = norm(in_channels) if norm and made else None
        self.norm1, self.norm2, self.norm3, self.norm4 = (
            norm(channels) if norm else None for channels in (in_channels, hidden, hidden, hidden)
        )
        self.activation = activation(activation_name)

    def _pool(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2) if self.downsample else x

    def _activate(self, x: Tensor, norm: nn.Module | None) -> Tensor:
        return self.activation(x if norm is None else norm(x))

    def _make(self, x: Tensor) -> Tensor:
        """Return the channels that the shortcut's convolution makes."""
        assert self.shortcut is not None
        return self.shortcut(x if self.norm0 is None else self.norm0(x))

    def _skip(self, x: Tensor) -> Tensor:
        if self.shortcut is None:
            return self._pool(x)
        # a 1x1 convolution and a pooling commute: pool first, it costs a quarter
        x = self._pool(x)
        return self._make(x) if self.projected else torch.cat([x, self._make(x)], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H/2, W/2), or (N, out, H, W) without ``downsample``."""
        h = self._activate(x, self.norm1)
        if self.activated_shortcut and self.norm1 is None:
            x = h
        h = self.conv2(self._activate(self.conv1(h), self.norm2))
        h = self._activate(self.conv3(self._activate(h, self.norm3)), self.norm4)
        if not self.projected:
            h = self._pool(h)
        return self.conv4(h) + self._skip(x)
