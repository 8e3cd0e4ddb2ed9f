"""Residual discriminator backbone of SNGAN and SAGAN (Miyato et al., 2018; Zhang et al., 2019)."""

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

#: Output channels of every block in units of ``base_channels``, and how many blocks halve the size
#: (SNGAN, Tables 3 to 5). 256 and 512 continue the row as BigGAN does; 16 is ours.
LAYOUTS: dict[int, tuple[tuple[int, ...], int]] = {
    16: ((2, 2, 2, 2), 2),
    32: ((2, 2, 2, 2), 2),
    64: ((1, 2, 4, 8, 16), 4),
    128: ((1, 2, 4, 8, 16, 16), 5),
    256: ((1, 2, 4, 8, 8, 16, 16), 6),
    512: ((1, 1, 2, 4, 8, 8, 16, 16), 7),
}


@BACKBONES.register_module()
class ResNetBackbone(BlockBackbone):
    """RGB image -> residual blocks that halve the size -> activation -> pooled features.

    Args:
        image_size: 16, 32, 64, 128, 256 or 512.
        base_channels: unit of the channel table.
        attention_resolutions: sizes of feature maps after whose block self-attention is inserted.
        attention_blocks: or the indices of those blocks, counted from 0.
        channels: output channels of every block, in place of the table.
        downsample: whether each block halves its input, in place of the table.
        activated_shortcut: the shortcuts see activated inputs, as with in-place activations
            (StudioGAN, and MMagic with an in-place ReLU).
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: for every convolution.
        attention_spectral_norm: for attention; like ``spectral_norm`` if None.
        batch_norm: options of batch norms in front of the convolutions; None for no batch norm.
        pooling: ``sum`` over positions (SNGAN) or ``mean``.
        init: ``orthogonal``, ``normal`` or ``xavier``.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: no table for the image size, lists of different lengths, unknown pooling, or
            attention outside the network.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `downsample`", square=True)

    emits = ("pooled", "map")

    def __init__(
        self,
        image_size: int,
        base_channels: int = 64,
        *,
        attention_resolutions: Sequence[int] = (),
        attention_blocks: Sequence[int] | None = None,
        channels: Sequence[int] | None = None,
        downsample: Sequence[bool] | None = None,
        activated_shortcut: bool = False,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = True,
        attention_spectral_norm: SpectralNormArg = None,
        batch_norm: Mapping[str, object] | None = None,
        pooling: str = "sum",
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        check_pooling("ResNetBackbone", pooling)
        widths, halving = block_plan(image_size, base_channels, channels, downsample)
        attended = spectral_norm if attention_spectral_norm is None else attention_spectral_norm
        options = DownBlockOptions(activated_shortcut=activated_shortcut, activation_name=activation_name)
        self.image_size, self.out_channels, self.pooling = image_size, widths[-1], pooling
        self.blocks = nn.ModuleList(
            DownBlock(
                before,
                after,
                downsample=halving[index],
                first=index == 0,
                norm=norm_factory(batch_norm),
                options=options,
                spectral_norm=spectral_norm,
            )
            for index, (before, after) in enumerate(zip([3, *widths], widths, strict=False))
        )
        sizes = [image_size >> sum(halving[: index + 1]) for index in range(len(halving))]
        self.attention = attention_layers(sizes, widths, attention_resolutions, attention_blocks, attended)
        self.activation = activation(activation_name)
        initialize(self, init)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``pooled`` (N, C) and ``map`` (N, C, h, w)."""
        x = through_blocks(image, self.blocks, self.attention)
        return pooled_features(self.activation(x), self.pooling)


def block_plan(
    image_size: int, base_channels: int, channels: Sequence[int] | None, downsample: Sequence[bool] | None
) -> tuple[list[int], list[bool]]:
    """Return output channels and down-sampling of every block.

    Raises:
        ValueError: no table for ``image_size``, or lists of different lengths.
    """
    if image_size not in LAYOUTS and (channels is None or downsample is None):
        raise ValueError(f"ResNetBackbone: image_size must be one of {list(LAYOUTS)}, got {image_size}")
    table, halvings = LAYOUTS.get(image_size, ((), 0))
    widths = list(channels or [base_channels * multiple for multiple in table])
    halving = list(downsample or [index < halvings for index in range(len(widths))])
    if len(halving) != len(widths):
        raise ValueError(f"ResNetBackbone: {len(widths)} channels but {len(halving)} entries in downsample")
    return widths, halving
