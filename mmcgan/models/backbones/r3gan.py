"""The discriminator backbone of R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN!", Sec. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.layers.inverted_bottleneck import (
    BottleneckOptions,
    DiscriminativeBasis,
    Reduce,
    stage_plan,
    start_normal,
)
from mmcgan.models.layers.precision import full_precision
from mmcgan.option_groups import takes_options
from mmcgan.registry import BACKBONES


@BACKBONES.register_module()
class R3GANBackbone(BlockBackbone):
    """A 1x1 convolution from the colours, stages of inverted bottlenecks, a depthwise 4x4 at the end.

    A stage passes residual blocks and then reduces (low-pass filter, 1x1 convolution if the width
    changes). No normalisation, and biases inside blocks only. R3GAN's own heads are
    :class:`~mmcgan.models.heads.inner_product.InnerProductHead`; any other fits as well.

    Args:
        image_size: 8, 16, 32, 64, ...
        channels: width of every stage, from the image on.
        groups: of the middle convolution of a block, by stage (the paper's cardinality).
        blocks: number of blocks, by stage.
        bottlenecks: see :class:`~mmcgan.models.layers.inverted_bottleneck.BottleneckOptions`.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: an image size that is no power of two, or lists that do not fit it.
    """

    image_shapes = ImageShapes("8, 16, 32, ... pixels", square=True)

    emits = ("pooled", "map")

    @takes_options
    def __init__(
        self,
        image_size: int,
        channels: Sequence[int] = (768, 768, 768, 768),
        groups: Sequence[int] = (96, 96, 96, 96),
        blocks: Sequence[int] = (2, 2, 2, 2),
        *,
        bottlenecks: BottleneckOptions = BottleneckOptions(),
    ) -> None:
        super().__init__()
        stage_plan("R3GANBackbone", image_size, channels, groups, blocks)
        self.image_size, self.out_channels = image_size, channels[-1]
        self.full_precision_stages = bottlenecks.full_precision_stages
        self.input_conv = nn.Conv2d(3, channels[0], 1, bias=False)
        start_normal(self.input_conv.weight)
        ends = [[Reduce(before, after, bottlenecks.resampling)] for before, after in pairwise(channels)]
        block = bottlenecks.factory(sum(blocks))
        self.blocks = nn.ModuleList(
            nn.Sequential(*(block(width, cardinality) for _ in range(count)), *end)
            for end, width, cardinality, count in zip([*ends, []], channels, groups, blocks, strict=True)
        )
        self.basis = DiscriminativeBasis(channels[-1])

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``map`` (N, C, 4, 4) and ``pooled`` (N, C)."""
        lowest = len(self.blocks) - self.full_precision_stages
        with full_precision(image, lowest <= 0):
            x = self.input_conv(image)
        for index, stage in enumerate(self.blocks):
            full = index >= lowest
            with full_precision(image, full):
                x = stage(widened(x) if full else x)
        with full_precision(image):
            return {"pooled": self.basis(widened(x)), "map": x}


def widened(x: Tensor) -> Tensor:
    """Return ``x`` in float32 or wider."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
