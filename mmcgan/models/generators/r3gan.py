"""The generator of R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN!", Sec. 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.conditioning import ConditionEmbedding
from mmcgan.models.generators.output import PlainGenerator, implicit_output
from mmcgan.models.layers.inverted_bottleneck import (
    BottleneckOptions,
    Enlarge,
    GenerativeBasis,
    stage_plan,
    start_normal,
)
from mmcgan.models.layers.precision import full_precision
from mmcgan.models.options import LabelledConditionOptions
from mmcgan.option_groups import takes_options
from mmcgan.registry import GENERATORS


@GENERATORS.register_module()
class R3GANGenerator(PlainGenerator):
    """Learned 4x4 maps scaled by [z, condition], then stages of inverted bottlenecks; no normalisation.

    A stage enlarges (1x1 convolution if the width changes, then a low-pass filter) and passes residual
    blocks. A 1x1 convolution makes the colours; there is no tanh, so images may leave [-1, 1] a little
    until they are sampled.

    Args:
        image_size: 8, 16, 32, 64, ...
        num_classes: number of labels, 0 for none.
        channels: width of every stage, from 4 x 4 on.
        groups: of the middle convolution of a block, by stage (the paper's cardinality).
        blocks: number of blocks, by stage.
        latent_dim: length of z.
        condition: see :class:`~mmcgan.models.options.LabelledConditionOptions`.
        bottlenecks: see :class:`~mmcgan.models.layers.inverted_bottleneck.BottleneckOptions`.
        implicit: options of :class:`~mmcgan.models.layers.implicit_output.ImplicitOutput`, which then
            replaces the last convolution and makes images of any size; None for that convolution.

    Raises:
        ValueError: an image size that is no power of two, or lists that do not fit it.
    """

    image_shapes = ImageShapes("8, 16, 32, ... pixels", square=True)

    @takes_options
    def __init__(
        self,
        image_size: int,
        num_classes: int = 0,
        channels: Sequence[int] = (768, 768, 768, 768),
        groups: Sequence[int] = (96, 96, 96, 96),
        blocks: Sequence[int] = (2, 2, 2, 2),
        latent_dim: int = 64,
        *,
        condition: LabelledConditionOptions = LabelledConditionOptions(
            label_dim=64, instance_embedding_dim=64, num_attributes=0
        ),
        bottlenecks: BottleneckOptions = BottleneckOptions(),
        implicit: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        stage_plan("R3GANGenerator", image_size, channels, groups, blocks)
        if latent_dim < 1:
            raise ValueError(f"R3GANGenerator: latent_dim must be at least 1, got {latent_dim}")
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim
        self.full_precision_stages = bottlenecks.full_precision_stages
        self.condition = condition.embedding(num_classes, condition.label_dim, None)
        self.requires = tuple(self.condition.requires)
        start_embedding(self.condition)
        starts = [
            GenerativeBasis(latent_dim + self.condition.dim, channels[0]),
            *(Enlarge(before, after, bottlenecks.resampling) for before, after in pairwise(channels)),
        ]
        block = bottlenecks.factory(sum(blocks))
        self.blocks = nn.ModuleList(
            nn.Sequential(start, *(block(width, cardinality) for _ in range(count)))
            for start, width, cardinality, count in zip(starts, channels, groups, blocks, strict=True)
        )
        if implicit is None:
            self.output_conv = nn.Conv2d(channels[-1], 3, 1, bias=False)
            start_normal(self.output_conv.weight)
        self.implicit = implicit_output(channels[-1], implicit, None)

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the output of the last stage (N, C, H, W).

        Raises:
            ValueError: the latent has another length.
        """
        if latent.shape[1] != self.latent_dim:
            raise ValueError(f"latent has length {latent.shape[1]}, the generator expects {self.latent_dim}")
        x = latent if embedding is None else torch.cat([latent, embedding.to(latent.dtype)], dim=1)
        for index, stage in enumerate(self.blocks):
            with full_precision(x, index < self.full_precision_stages):
                x = stage(x)
        return x


def start_embedding(condition: ConditionEmbedding) -> None:
    """Start the tables and maps of a condition as R3GAN does: as linear maps of one-hot labels."""
    for child in condition.modules():
        if isinstance(child, nn.Embedding):
            start_normal(child.weight.T)
        if isinstance(child, nn.Linear):
            start_normal(child.weight)
        if isinstance(child, nn.Linear) and child.bias is not None:
            nn.init.zeros_(child.bias)
