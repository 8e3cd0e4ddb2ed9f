"""Spatially-adaptive normalisation (Park et al., "Semantic Image Synthesis with SPADE", 2019)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.models.layers.factories import conv2d
from mmcgan.models.layers.normalization import batch_norm
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL, SpectralNormArg
from mmcgan.suggestions import nearest

LEAK = 0.2

#: Normalisations without gain and bias, by name.
PLAIN_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": lambda channels: batch_norm(channels, affine=False),
    "instance": nn.InstanceNorm2d,
}


@dataclass(frozen=True, kw_only=True)
class SPADEOptions:
    """Options of the :class:`SPADE` layers of a network; see there.

    Attributes:
        norm: ``batch`` or ``instance``, without gain and bias of its own.
        hidden_channels: of the map's features.
        kernel_size: odd, of all three convolutions.
    """

    norm: str = "batch"
    hidden_channels: int = 128
    kernel_size: int = 3


class SPADE(nn.Module):
    """Normalises features and modulates every position by a convolution of the semantic map.

    ``norm(x) * (1 + gamma(map)) + beta(map)`` (Eq. 1 of the paper, with 1 added to gamma).

    Args:
        channels: of the features.
        map_channels: of the semantic map.
        norm: ``batch`` or ``instance``, without gain and bias of its own.
        hidden_channels: of the map's features.
        kernel_size: odd, of all three convolutions.

    Raises:
        ValueError: unknown ``norm`` or an even kernel.
    """

    def __init__(
        self,
        channels: int,
        map_channels: int,
        *,
        norm: str = "batch",
        hidden_channels: int = 128,
        kernel_size: int = 3,
    ) -> None:
        super().__init__()
        if norm not in PLAIN_NORMS:
            raise ValueError(f"norm: unknown name {norm!r}.{nearest(norm, list(PLAIN_NORMS))}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and positive, got {kernel_size}")
        padding = kernel_size // 2
        self.norm = PLAIN_NORMS[norm](channels)
        self.shared = conv2d(map_channels, hidden_channels, kernel_size, padding=padding)
        self.gain = conv2d(hidden_channels, channels, kernel_size, padding=padding)
        self.bias = conv2d(hidden_channels, channels, kernel_size, padding=padding)

    def forward(self, x: Tensor, semantics: Tensor) -> Tensor:
        """Return (N, channels, h, w); ``semantics`` (N, map_channels, H, W) is resized by nearest."""
        if semantics.shape[2:] != x.shape[2:]:  # resizing to the same size would be a slow copy
            semantics = F.interpolate(semantics, size=x.shape[2:])
        hidden = F.relu(self.shared(semantics))
        return self.norm(x) * (1 + self.gain(hidden)) + self.bias(hidden)


class SPADEBlock(nn.Module):
    """Residual block of two SPADE - leaky ReLU - 3x3 convolution branches; keeps the size.

    Where the channels change, the shortcut is SPADE and a 1x1 convolution without bias or activation.

    Args:
        in_channels, out_channels: of the features.
        norm: makes a :class:`SPADE` for a number of channels.
        spectral_norm: for the convolutions of the block, not for those inside SPADE.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm: Callable[[int], SPADE],
        spectral_norm: SpectralNormArg = CLASSIC_SPECTRAL,
    ) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm1, self.norm2 = norm(in_channels), norm(middle)
        self.conv1 = conv2d(in_channels, middle, 3, padding=1, spectral_norm=spectral_norm)
        self.conv2 = conv2d(middle, out_channels, 3, padding=1, spectral_norm=spectral_norm)
        self.changes = in_channels != out_channels
        if self.changes:
            self.shortcut_norm = norm(in_channels)
            self.shortcut = conv2d(in_channels, out_channels, 1, bias=False, spectral_norm=spectral_norm)

    def forward(self, x: Tensor, semantics: Tensor) -> Tensor:
        """Map (N, in, h, w) to (N, out, h, w) under ``semantics`` (N, K, H, W)."""
        skipped = self.shortcut(self.shortcut_norm(x, semantics)) if self.changes else x
        x = self.conv1(F.leaky_relu(self.norm1(x, semantics), LEAK))
        return skipped + self.conv2(F.leaky_relu(self.norm2(x, semantics), LEAK))
