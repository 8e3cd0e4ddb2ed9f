"""Heads that judge every position of the feature map instead of the whole image."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import SpectralNorm
from mmcgan.models.layers import conv2d
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


def _check_kernel(head: Head, kernel_size: int) -> None:
    if kernel_size < 1:
        raise ValueError(f"{type(head).__name__}: kernel_size must be positive, got {kernel_size}")


@HEADS.register_module()
class PatchHead(Head):
    """Real or fake for every patch (PatchGAN); emits ``logit`` (N, h, w).

    Adversarial losses average over all patches. The map is that of the backbone's last features.

    Args:
        kernel_size: an odd one keeps the map's size, an even one (PatchGAN's 4) adds a row and a column.
        feature: which map of the backbone; ``map``, or another scale of it.

    Raises:
        ValueError: ``kernel_size`` is not positive.
    """

    emits = ("logit",)
    follows_init = True

    def __init__(
        self,
        in_channels: int,
        spectral_norm: SpectralNorm = True,
        kernel_size: int = 1,
        feature: str = "map",
    ) -> None:
        super().__init__()
        _check_kernel(self, kernel_size)
        padding, self.feature = kernel_size // 2, feature
        self.conv = conv2d(in_channels, 1, kernel_size, padding=padding, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N, h, w) of the map (N, in_channels, h, w)."""
        return {"logit": self.conv(features[self.feature]).squeeze(1)}


@HEADS.register_module()
class PixelClassHead(Head):
    """Which class every position shows; emits ``logits`` (N, num_map_classes + extra, h, w).

    Args:
        num_map_classes: classes of the label map.
        extra: further columns: 1 for "fake" (multi-hinge, ImAC-GAN), 2 for "real" and "fake"
            (Omni-GAN's per-pixel loss, Appendix H).
        kernel_size, feature: see :class:`PatchHead`.

    Raises:
        ValueError: a number is out of range.
    """

    emits = ("logits",)
    follows_init = True

    def __init__(
        self,
        in_channels: int,
        num_map_classes: int,
        extra: int = 0,
        spectral_norm: SpectralNorm = True,
        kernel_size: int = 1,
        feature: str = "map",
    ) -> None:
        super().__init__()
        if num_map_classes < 1:
            raise ValueError(f"PixelClassHead: num_map_classes must be at least 1, got {num_map_classes}")
        _check_kernel(self, kernel_size)
        if extra < 0:
            raise ValueError(f"PixelClassHead: extra must not be negative, got {extra}")
        self.feature = feature
        columns, padding = num_map_classes + extra, kernel_size // 2
        self.conv = conv2d(in_channels, columns, kernel_size, padding=padding, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logits`` (N, num_map_classes + extra, h, w) of the map (N, in_channels, h, w)."""
        return {"logits": self.conv(features[self.feature])}
