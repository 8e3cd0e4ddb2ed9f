"""Heads that judge every position of the feature map instead of the whole image."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from mmcgan.models.conditioning import ConditionEmbedding
from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import SpectralNorm
from mmcgan.models.layers import conv2d, linear
from mmcgan.registry import HEADS
from mmcgan.structures import Condition

LEAK = 0.2


def padding_of(head: Head, kernel_size: int, padding: int | None) -> int:
    """Return the padding, by default half of the kernel."""
    _check_kernel(head, kernel_size)
    if padding is not None and padding < 0:
        raise ValueError(f"{type(head).__name__}: padding must not be negative, got {padding}")
    return kernel_size // 2 if padding is None else padding


def _check_kernel(head: Head, kernel_size: int) -> None:
    if kernel_size < 1:
        raise ValueError(f"{type(head).__name__}: kernel_size must be positive, got {kernel_size}")


def least_side(kernel_size: int, padding: int) -> int:
    """Return the side of the smallest map that a kernel can look at."""
    return max(1, kernel_size - 2 * padding)


def map_of(head: Head, features: Mapping[str, Tensor], feature: str, kernel: int, padding: int) -> Tensor:
    """Return the map that a head looks at.

    Raises:
        ValueError: its kernel is larger than that.
    """
    found = features[feature]
    height, width = found.shape[-2:]
    if kernel > min(height, width) + 2 * padding:
        raise ValueError(
            f"{type(head).__name__}: kernel_size={kernel} with padding={padding} is larger than {feature!r}, "
            f"which is {height} x {width}"
        )
    return found


@HEADS.register_module()
class PatchHead(Head):
    """Real or fake for every patch (PatchGAN); emits ``logit`` (N, h, w).

    Adversarial losses average over all patches. The map is that of the backbone's last features.

    Args:
        kernel_size: an odd one keeps the map's size, an even one (PatchGAN's 4) adds a row and a column.
        feature: which map of the backbone; ``map``, or another scale of it.
        padding: zeros on every side; None for half of the kernel, as above.
        bias: of the convolution.

    Raises:
        ValueError: ``kernel_size`` is not positive, or ``padding`` negative.
    """

    emits = ("logit",)
    follows_init = True

    def __init__(
        self,
        in_channels: int,
        spectral_norm: SpectralNorm = True,
        kernel_size: int = 1,
        feature: str = "map",
        padding: int | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        padding, self.feature = padding_of(self, kernel_size, padding), feature
        self.reads, self.window = (feature,), (kernel_size, padding)
        self.least_sides = {feature: least_side(*self.window)}
        self.conv = conv2d(
            in_channels, 1, kernel_size, padding=padding, bias=bias, spectral_norm=spectral_norm
        )

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N, h, w) of the map (N, in_channels, h, w)."""
        return {"logit": self.conv(map_of(self, features, self.feature, *self.window)).squeeze(1)}


@HEADS.register_module()
class PatchProjectionHead(Head):
    """Real or fake for every patch given the condition; emits ``logit`` (N, h, w).

    A convolution gives ``dim`` numbers a patch; their inner product with a mapped embedding of the condition,
    over the root of ``dim``, is the score. There is no unconditional term (Projected GAN's conditional
    discriminators).

    Args:
        in_channels: of the map.
        num_classes: number of labels, 0 for no label part.
        instance_dim: length of an instance feature, 0 for no instance part.
        dim: see above.
        embedding_dim: length of the embedding of each part.
        spectral_norm, kernel_size, feature, padding: see :class:`PatchHead`; the convolution has no bias.

    Raises:
        ValueError: neither part is asked for, or a number out of range.
    """

    emits = ("logit",)
    follows_init = True

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        instance_dim: int = 0,
        dim: int = 64,
        embedding_dim: int = 128,
        spectral_norm: SpectralNorm = True,
        kernel_size: int = 1,
        feature: str = "map",
        padding: int | None = None,
    ) -> None:
        super().__init__()
        if not (num_classes or instance_dim):
            raise ValueError("PatchProjectionHead needs num_classes or instance_dim above 0")
        if dim < 1 or embedding_dim < 1:
            raise ValueError(
                f"PatchProjectionHead: dim and embedding_dim must be at least 1, got {dim}, {embedding_dim}"
            )
        padding = padding_of(self, kernel_size, padding)
        self.reads, self.window = (feature,), (kernel_size, padding)
        self.least_sides = {feature: least_side(*self.window)}
        self.feature, self.scale = feature, 1 / math.sqrt(dim)
        self.conv = conv2d(
            in_channels, dim, kernel_size, padding=padding, bias=False, spectral_norm=spectral_norm
        )
        self.condition = ConditionEmbedding(
            num_classes,
            embedding_dim,
            instance_dim=instance_dim,
            instance_embedding_dim=embedding_dim,
            spectral_norm=None,
            unit_instances=True,
        )
        self.linear = linear(self.condition.dim, dim)
        self.requires = self.condition.requires

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N, h, w) of the map (N, in_channels, h, w) under the condition."""
        direction = F.leaky_relu(self.linear(self.condition(condition)), LEAK)
        seen = map_of(self, features, self.feature, *self.window)
        products = self.conv(seen) * direction[:, :, None, None]
        return {"logit": products.sum(1) * self.scale}


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
        self.reads = (feature,)
        columns, padding = num_map_classes + extra, kernel_size // 2
        self.conv = conv2d(in_channels, columns, kernel_size, padding=padding, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logits`` (N, num_map_classes + extra, h, w) of the map (N, in_channels, h, w)."""
        return {"logits": self.conv(features[self.feature])}
