"""The BigGAN-deep discriminator backbone (Brock et al., 2019, Appendix B)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from torch import Tensor, nn

from mmcgan.models.layers import (
    PlainBatchNorm,
    SelfAttention,
    SpectralNormArg,
    activation,
    attention_places,
    batch_norm_options,
    conv2d,
    initialize,
)
from mmcgan.models.layers.deep_blocks import DeepDownBlock
from mmcgan.registry import BACKBONES

#: Channels after the first convolution and after every stage, in units of ``base_channels``. 32 to
#: 256 are BigGAN-PyTorch's tables, 512 continues them, 16 is ours, for small images.
CHANNELS: dict[int, tuple[int, ...]] = {
    16: (4, 4, 4),
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
    512: (1, 1, 2, 4, 8, 8, 16, 16),
}


@BACKBONES.register_module()
class BigGANDeepBackbone(nn.Module):
    """Maps an image to a pooled feature vector through bottleneck blocks.

    A 3x3 convolution, then stages of ``depth`` blocks; the first block of a stage halves the image.

    Args:
        image_size: 16 to 512 (others with explicit ``channels`` and ``downsample``).
        base_channels: unit of the channel table.
        depth: blocks per stage.
        attention_resolutions: sizes of feature maps after whose stage self-attention is inserted.
        attention_blocks: or the indices of blocks that it follows, counted from 0 over all stages.
        channels: channels after the first convolution and after every stage, in place of the table.
        downsample: whether each stage halves its input, in place of the table.
        projected_shortcut, activated_shortcut: see :class:`~mmcgan.models.layers.deep_blocks.DeepDownBlock`.
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: applied to all convolutions.
        batch_norm: options of batch norms in front of the convolutions; None for no batch norm.
        pooling: ``sum`` (as published) or ``mean`` over positions.
        init: see :func:`mmcgan.models.layers.initialize`.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: unknown image size or pooling, lists of different lengths, or attention outside.
    """

    emits: ClassVar[tuple[str, ...]] = ("pooled", "map")

    def __init__(
        self,
        image_size: int,
        base_channels: int = 128,
        *,
        depth: int = 2,
        attention_resolutions: Sequence[int] = (64,),
        attention_blocks: Sequence[int] | None = None,
        channels: Sequence[int] | None = None,
        downsample: Sequence[bool] | None = None,
        projected_shortcut: bool = False,
        activated_shortcut: bool = False,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = True,
        batch_norm: Mapping[str, object] | None = None,
        pooling: str = "sum",
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        if pooling not in ("sum", "mean"):
            raise ValueError(f"pooling must be one of ('sum', 'mean'), got {pooling!r}")
        widths, halving = stage_plan(image_size, base_channels, channels, downsample)
        self.image_size, self.out_channels, self.pooling = image_size, widths[-1], pooling
        self.input_conv = conv2d(3, widths[0], 3, padding=1, spectral_norm=spectral_norm)
        norm = None if batch_norm is None else partial(PlainBatchNorm, options=batch_norm_options(batch_norm))
        block = partial(
            DeepDownBlock,
            norm=norm,
            projected_shortcut=projected_shortcut,
            activated_shortcut=activated_shortcut,
            activation_name=activation_name,
            spectral_norm=spectral_norm,
        )
        self.blocks = nn.ModuleList()
        sizes, size = [], image_size
        for before, after, halve in zip(widths, widths[1:], halving, strict=False):
            size = size // 2 if halve else size
            for step in range(depth):
                entry = before if step == 0 else after
                self.blocks.append(block(entry, after, downsample=halve and step == 0))
                sizes.append(size if step == depth - 1 else 0)  # 0: no attention inside a stage
        places = attention_places(sizes, attention_resolutions, attention_blocks)
        self.attention = nn.ModuleDict(
            {str(i): SelfAttention(widths[i // depth + 1], spectral_norm=spectral_norm) for i in places}
        )
        self.activation = activation(activation_name)
        initialize(self, init)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``pooled`` (N, C) and ``map`` (N, C, h, w)."""
        x = self.input_conv(image)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if str(index) in self.attention:
                x = self.attention[str(index)](x)
        x = self.activation(x)
        # Sums over positions leave bf16's eight bits quickly: accumulate in float32.
        pooled = x.float().sum(dim=(2, 3)) if self.pooling == "sum" else x.float().mean(dim=(2, 3))
        return {"pooled": pooled, "map": x}


def stage_plan(
    image_size: int, base_channels: int, channels: Sequence[int] | None, downsample: Sequence[bool] | None
) -> tuple[list[int], list[bool]]:
    """Return the channels before and after every stage, and whether each stage halves the image.

    Raises:
        ValueError: no table for ``image_size``, or lists of different lengths.
    """
    if image_size not in CHANNELS and (channels is None or downsample is None):
        raise ValueError(f"BigGANDeepBackbone: image_size must be one of {list(CHANNELS)}, got {image_size}")
    widths = list(channels or [base_channels * multiple for multiple in CHANNELS[image_size]])
    stages = len(widths) - 1
    if downsample is None:
        # images of 32 pixels stop at 8x8, smaller and larger ones at 4x4
        downsample = [stage < 2 or image_size > 32 for stage in range(stages)]
    if len(downsample) != stages:
        raise ValueError(f"BigGANDeepBackbone: {stages} stages but {len(downsample)} entries in downsample")
    return widths, list(downsample)
