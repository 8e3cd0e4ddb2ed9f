"""Self-attention over positions (Zhang et al., "Self-Attention GANs", 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.dtypes import at_least_float32
from mmcgan.models.layers.factories import conv2d
from mmcgan.models.layers.spectral_norm import SpectralNormArg


class SelfAttention(nn.Module):
    """``x + gamma * o(attention(x))`` with the settings of SAGAN and BigGAN.

    Queries and keys have C/8 channels, values C/2; keys and values are max-pooled 2x2; scores are
    not divided by the square root of the depth; ``gamma`` is a scalar that starts at 0, so that the
    layer starts as the identity. No biases.

    Args:
        channels: channels of the image features, at least 8.
        spectral_norm: applied to the four 1x1 convolutions.

    Raises:
        ValueError: fewer than 8 channels.
    """

    def __init__(self, channels: int, *, spectral_norm: SpectralNormArg = None) -> None:
        super().__init__()
        if channels < 8:
            raise ValueError(f"self-attention needs at least 8 channels, got {channels}")
        inner, value = channels // 8, channels // 2
        self.query = conv2d(channels, inner, 1, bias=False, spectral_norm=spectral_norm)
        self.key = conv2d(channels, inner, 1, bias=False, spectral_norm=spectral_norm)
        self.value = conv2d(channels, value, 1, bias=False, spectral_norm=spectral_norm)
        self.output = conv2d(value, channels, 1, bias=False, spectral_norm=spectral_norm)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape; H and W are even."""
        query = self.query(x).flatten(2)
        key = F.max_pool2d(self.key(x), 2).flatten(2)
        value = F.max_pool2d(self.value(x), 2).flatten(2)
        # The softmax runs in float32: under bf16 autocast its sum would drift from one.
        weights = at_least_float32(query.transpose(1, 2) @ key).softmax(dim=-1)
        attended = value @ weights.transpose(1, 2).to(value.dtype)
        attended = attended.reshape(x.shape[0], -1, *x.shape[2:])
        return x + self.gamma * self.output(attended)


def attention_places(
    sizes: Sequence[int], resolutions: Sequence[int], blocks: Sequence[int] | None
) -> list[int]:
    """Return the indices of the blocks that self-attention follows.

    Resolutions that the network does not reach are ignored, as in BigGAN, whose default of 64
    serves every image size; a block index out of range is an error.

    Args:
        sizes: size of the feature map after every block.
        resolutions: sizes that attention follows, unless ``blocks`` is given.
        blocks: or the indices of the blocks themselves, counted from 0.

    Raises:
        ValueError: a block index out of range.
    """
    if blocks is None:
        return [index for index, size in enumerate(sizes) if size in set(resolutions)]
    for index in blocks:
        if not 0 <= index < len(sizes):
            raise ValueError(f"attention_blocks: {index} is not in 0..{len(sizes) - 1}")
    return sorted(set(blocks))


def attention_layers(
    sizes: Sequence[int],
    widths: Sequence[int],
    resolutions: Sequence[int],
    blocks: Sequence[int] | None,
    spectral_norm: SpectralNormArg,
) -> nn.ModuleDict:
    """Return self-attention by the index of the block that it follows.

    Args:
        sizes, widths: of the feature map behind every block; size 0 where attention cannot be.
        resolutions: sizes after which there is attention, or
        blocks: indices of blocks, in their place.
        spectral_norm: of the attention.

    Raises:
        ValueError: a place outside the network.
    """
    places = attention_places(sizes, resolutions, blocks)
    return nn.ModuleDict({str(i): SelfAttention(widths[i], spectral_norm=spectral_norm) for i in places})
