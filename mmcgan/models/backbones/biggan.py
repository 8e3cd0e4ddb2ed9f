"""The BigGAN discriminator backbone (Brock et al., "Large Scale GAN Training", 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.backbones.blocks import (
    check_pooling,
    norm_factory,
    pooled_features,
    through_blocks,
)
from mmcgan.models.layers import (
    DownBlock,
    DownBlockOptions,
    SpectralNormArg,
    activation,
    attention_layers,
    initialize,
)
from mmcgan.registry import BACKBONES

#: Output channels of every block in units of ``base_channels``. 32 to 256 are BigGAN-PyTorch's
#: tables, 512 the paper's (and StudioGAN's), 16 ours, for small images.
CHANNELS: dict[int, tuple[int, ...]] = {
    16: (4, 4, 4),
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
    512: (1, 1, 2, 4, 8, 8, 16, 16),
}


def block_plan(
    image_size: int,
    base_channels: int,
    channels: Sequence[int] | None,
    downsample: Sequence[bool] | None,
) -> tuple[list[int], list[bool]]:
    """Return output channels and down-sampling of every block.

    Raises:
        ValueError: no table for ``image_size``, or lists of different lengths.
    """
    if image_size not in CHANNELS and (channels is None or downsample is None):
        raise ValueError(f"BigGANBackbone: image_size must be one of {list(CHANNELS)}, got {image_size}")
    widths = list(channels or [base_channels * multiple for multiple in CHANNELS[image_size]])
    if downsample is None:
        # 32-pixel images stop at 8x8, all others at 4x4.
        steps = 2 if image_size <= 32 else len(CHANNELS[image_size]) - 1
        downsample = [index < steps for index in range(len(widths))]
    if len(downsample) != len(widths):
        raise ValueError(
            f"BigGANBackbone: {len(widths)} channels but {len(downsample)} entries in downsample"
        )
    return widths, list(downsample)


@BACKBONES.register_module()
class BigGANBackbone(BlockBackbone):
    """Maps an image to a pooled feature vector through residual down-sampling blocks.

    Args:
        image_size: 16, 32, 64, 128, 256 or 512 (others with explicit ``channels`` and
            ``downsample``).
        base_channels: unit of the channel table.
        attention_resolutions: sizes of feature maps after whose block self-attention is inserted.
        attention_blocks: or the indices of those blocks, counted from 0.
        channels: output channels of every block, in place of the table.
        downsample: whether each block halves its input, in place of the table.
        wide, activated_shortcut, activation_name: see
            :class:`mmcgan.models.layers.DownBlockOptions`.
        spectral_norm: applied to all convolutions.
        batch_norm: options of batch norms in front of the convolutions; None for no batch norm.
        pooling: ``sum`` (as published) or ``mean`` over positions.
        init: see :func:`mmcgan.models.layers.initialize`.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: unknown image size or pooling, or attention outside the network.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `downsample`", square=True)

    emits = ("pooled", "map")

    def __init__(
        self,
        image_size: int,
        base_channels: int = 96,
        *,
        attention_resolutions: Sequence[int] = (64,),
        attention_blocks: Sequence[int] | None = None,
        channels: Sequence[int] | None = None,
        downsample: Sequence[bool] | None = None,
        wide: bool = True,
        activated_shortcut: bool = False,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = True,
        batch_norm: Mapping[str, object] | None = None,
        pooling: str = "sum",
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        check_pooling("BigGANBackbone", pooling)
        widths, halving = block_plan(image_size, base_channels, channels, downsample)
        self.image_size, self.out_channels, self.pooling = image_size, widths[-1], pooling
        options = DownBlockOptions(wide, activated_shortcut, activation_name)
        self.blocks = nn.ModuleList(
            DownBlock(
                before,
                after,
                downsample=halve,
                first=index == 0,
                norm=norm_factory(batch_norm),
                options=options,
                spectral_norm=spectral_norm,
            )
            for index, (before, after, halve) in enumerate(zip([3, *widths], widths, halving, strict=False))
        )
        sizes = [image_size // 2 ** sum(halving[: i + 1]) for i in range(len(halving))]
        self.attention = attention_layers(
            sizes, widths, attention_resolutions, attention_blocks, spectral_norm
        )
        self.activation = activation(activation_name)
        initialize(self, init)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``pooled`` (N, C) and ``map`` (N, C, h, w).

        The network is convolutional: other sizes than ``image_size`` pass, with other sums.
        """
        x = self.activation(through_blocks(image, self.blocks, self.attention))
        return pooled_features(x, self.pooling)
