"""The BigGAN discriminator backbone (Brock et al., "Large Scale GAN Training", 2019)."""

from __future__ import annotations

from collections.abc import Sequence

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.blocks import ResidualBackbone
from mmcgan.models.layers import DownBlockOptions
from mmcgan.models.options import AttentionOptions, HalvingOptions, PooledLayerOptions
from mmcgan.option_groups import takes_options
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
class BigGANBackbone(ResidualBackbone):
    """Maps an image to a pooled feature vector through residual down-sampling blocks.

    Args:
        image_size: 16, 32, 64, 128, 256 or 512 (others with explicit ``channels`` and
            ``downsample``).
        base_channels: unit of the channel table.
        wide, activated_shortcut: see :class:`mmcgan.models.layers.DownBlockOptions`.
        attention: see :class:`~mmcgan.models.options.AttentionOptions`.
        stages: see :class:`~mmcgan.models.options.HalvingOptions`.
        layers: see :class:`~mmcgan.models.options.PooledLayerOptions`.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: unknown image size or pooling, or attention outside the network.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `downsample`", square=True)

    @takes_options
    def __init__(
        self,
        image_size: int,
        base_channels: int = 96,
        *,
        wide: bool = True,
        activated_shortcut: bool = False,
        attention: AttentionOptions = AttentionOptions(attention_resolutions=(64,)),
        stages: HalvingOptions = HalvingOptions(),
        layers: PooledLayerOptions = PooledLayerOptions(spectral_norm=True),
    ) -> None:
        super().__init__()
        layers.check("BigGANBackbone")
        plan = block_plan(image_size, base_channels, stages.channels, stages.downsample)
        options = DownBlockOptions(wide, activated_shortcut, layers.activation_name)
        self.build(image_size, plan, options, (attention, layers.spectral_norm), layers)
