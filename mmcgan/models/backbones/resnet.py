"""Residual discriminator backbone of SNGAN and SAGAN (Miyato et al., 2018; Zhang et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.blocks import ResidualBackbone
from mmcgan.models.layers import DownBlockOptions, SpectralNormArg
from mmcgan.models.options import AttentionOptions, HalvingOptions, PooledLayerOptions
from mmcgan.option_groups import takes_options
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
class ResNetBackbone(ResidualBackbone):
    """RGB image -> residual blocks that halve the size -> activation -> pooled features.

    Args:
        image_size: 16, 32, 64, 128, 256 or 512.
        base_channels: unit of the channel table.
        activated_shortcut: the shortcuts see activated inputs, as with in-place activations
            (StudioGAN, and MMagic with an in-place ReLU).
        attention_spectral_norm: of attention; like ``spectral_norm`` if None.
        attention: see :class:`~mmcgan.models.options.AttentionOptions`.
        stages: see :class:`~mmcgan.models.options.HalvingOptions`.
        layers: see :class:`~mmcgan.models.options.PooledLayerOptions`.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: no table for the image size, lists of different lengths, unknown pooling, or
            attention outside the network.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `downsample`", square=True)

    @takes_options
    def __init__(
        self,
        image_size: int,
        base_channels: int = 64,
        *,
        activated_shortcut: bool = False,
        attention_spectral_norm: SpectralNormArg = None,
        attention: AttentionOptions = AttentionOptions(),
        stages: HalvingOptions = HalvingOptions(),
        layers: PooledLayerOptions = PooledLayerOptions(spectral_norm=True),
    ) -> None:
        super().__init__()
        layers.check("ResNetBackbone")
        plan = block_plan(image_size, base_channels, stages.channels, stages.downsample)
        options = DownBlockOptions(True, activated_shortcut, layers.activation_name)
        attended = layers.spectral_norm if attention_spectral_norm is None else attention_spectral_norm
        self.build(image_size, plan, options, (attention, attended), layers)


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
