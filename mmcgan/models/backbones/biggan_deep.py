"""The BigGAN-deep discriminator backbone (Brock et al., 2019, Appendix B)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.backbones.biggan import CHANNELS
from mmcgan.models.backbones.blocks import pooled_features, through_blocks
from mmcgan.models.layers import activation, conv2d, initialize
from mmcgan.models.layers.deep_blocks import DeepDownBlock
from mmcgan.models.options import AttentionOptions, HalvingOptions, PooledLayerOptions
from mmcgan.option_groups import takes_options
from mmcgan.registry import BACKBONES


@BACKBONES.register_module()
class BigGANDeepBackbone(BlockBackbone):
    """Maps an image to a pooled feature vector through bottleneck blocks.

    A 3x3 convolution, then stages of ``depth`` blocks; the first block of a stage halves the image.

    Args:
        image_size: 16 to 512 (others with explicit ``channels`` and ``downsample``).
        base_channels: unit of the channel table.
        depth: blocks per stage.
        projected_shortcut, activated_shortcut: see :class:`~mmcgan.models.layers.deep_blocks.DeepDownBlock`.
        attention: see :class:`~mmcgan.models.options.AttentionOptions`; resolutions are those behind a stage,
            blocks are counted over all stages.
        stages: see :class:`~mmcgan.models.options.HalvingOptions`, of stages: ``channels`` are those after
            the first convolution and after every stage.
        layers: see :class:`~mmcgan.models.options.PooledLayerOptions`.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: unknown image size or pooling, lists of different lengths, or attention outside.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `downsample`", square=True)

    emits = ("pooled", "map")

    @takes_options
    def __init__(
        self,
        image_size: int,
        base_channels: int = 128,
        *,
        depth: int = 2,
        projected_shortcut: bool = False,
        activated_shortcut: bool = False,
        attention: AttentionOptions = AttentionOptions(attention_resolutions=(64,)),
        stages: HalvingOptions = HalvingOptions(),
        layers: PooledLayerOptions = PooledLayerOptions(spectral_norm=True),
    ) -> None:
        super().__init__()
        layers.check("BigGANDeepBackbone")
        widths, halving = stage_plan(image_size, base_channels, stages.channels, stages.downsample)
        self.image_size, self.out_channels, self.pooling = image_size, widths[-1], layers.pooling
        self.input_conv = conv2d(3, widths[0], 3, padding=1, spectral_norm=layers.spectral_norm)
        block = partial(
            DeepDownBlock,
            norm=layers.norm_factory(),
            projected_shortcut=projected_shortcut,
            activated_shortcut=activated_shortcut,
            activation_name=layers.activation_name,
            spectral_norm=layers.spectral_norm,
        )
        self.blocks = nn.ModuleList()
        sizes, size = [], image_size
        for before, after, halve in zip(widths, widths[1:], halving, strict=False):
            size = size // 2 if halve else size
            for step in range(depth):
                entry = before if step == 0 else after
                self.blocks.append(block(entry, after, downsample=halve and step == 0))
                sizes.append(size if step == depth - 1 else 0)  # 0: no attention inside a stage
        behind = [width for width in widths[1:] for _ in range(depth)]
        self.attention = attention.layers(sizes, behind, layers.spectral_norm)
        self.activation = activation(layers.activation_name)
        initialize(self, layers.init)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``pooled`` (N, C) and ``map`` (N, C, h, w)."""
        x = through_blocks(self.input_conv(image), self.blocks, self.attention)
        return pooled_features(self.activation(x), self.pooling)


def stage_plan(
    image_size: int, base_channels: int, channels: Sequence[int] | None, downsample: Sequence[bool] | None
) -> tuple[list[int], list[bool]]:
    """Return the channels before and after every stage, and whether each stage halves the image.

    The table is BigGAN's; its first entry is the first convolution's.

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
