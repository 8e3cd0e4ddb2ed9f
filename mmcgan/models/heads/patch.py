"""Heads that judge every position of the feature map instead of the whole image."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import SpectralNorm, check_num_classes
from mmcgan.models.layers import conv2d
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


def _check_kernel(head: Head, kernel_size: int) -> None:
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"{type(head).__name__}: kernel_size must be odd and positive, got {kernel_size}")


@HEADS.register_module()
class PatchHead(Head):
    """Real or fake for every patch (PatchGAN); emits ``logit`` (N, h, w).

    Adversarial losses average over all patches. The map is that of the backbone's last features.

    Args:
        kernel_size: odd; the map keeps its size.

    Raises:
        ValueError: ``kernel_size`` is even or not positive.
    """

    emits = ("logit",)

    def __init__(self, in_channels: int, spectral_norm: SpectralNorm = True, kernel_size: int = 1) -> None:
        super().__init__()
        _check_kernel(self, kernel_size)
        padding = kernel_size // 2
        self.conv = conv2d(in_channels, 1, kernel_size, padding=padding, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N, h, w) of ``features['map']`` (N, in_channels, h, w)."""
        return {"logit": self.conv(features["map"]).squeeze(1)}


@HEADS.register_module()
class PixelClassHead(Head):
    """Which class every position shows; emits ``logits`` (N, num_classes + extra, h, w).

    Args:
        extra: further columns: 1 for "fake" (multi-hinge, ImAC-GAN), 2 for "real" and "fake"
            (Omni-GAN's dense loss).
        kernel_size: odd; the map keeps its size.

    Raises:
        ValueError: a number is out of range.
    """

    emits = ("logits",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        extra: int = 0,
        spectral_norm: SpectralNorm = True,
        kernel_size: int = 1,
    ) -> None:
        super().__init__()
        check_num_classes(self, num_classes)
        _check_kernel(self, kernel_size)
        if extra < 0:
            raise ValueError(f"PixelClassHead: extra must not be negative, got {extra}")
        columns, padding = num_classes + extra, kernel_size // 2
        self.conv = conv2d(in_channels, columns, kernel_size, padding=padding, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logits`` (N, num_classes + extra, h, w) of ``features['map']``."""
        return {"logits": self.conv(features["map"])}
