"""The BigGAN-deep generator (Brock et al., 2019, Appendix B)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.conditioning import attribute_sizes
from mmcgan.models.generators.base import FirstMap, padded
from mmcgan.models.generators.biggan import block_channels
from mmcgan.models.generators.blocks import EmbeddingGenerator
from mmcgan.models.layers import (
    BatchNormOptions,
    ConditionalBatchNorm,
    NormFactory,
    PlainBatchNorm,
    SpectralNormArg,
    attention_layers,
    batch_norm_options,
    linear,
)
from mmcgan.models.layers.deep_blocks import DeepUpBlock
from mmcgan.models.layers.spectral_norm import evaluated_weight
from mmcgan.models.layers.tabulated_norm import TabulatedBatchNorm2d
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

#: What a block does: enlarge, channels before, channels after.
BlockPlan = tuple[bool, int, int]


@GENERATORS.register_module()
class BigGANDeepGenerator(EmbeddingGenerator):
    """Maps a latent and a condition to an image through bottleneck blocks.

    Unlike :class:`BigGANGenerator`, the whole latent and the embedded condition feed the first linear
    map and the batch norms of every block.

    Args:
        image_size: 16 to 512 (any power-of-two multiple of ``bottom_size`` with explicit ``channels``).
        num_classes: number of labels, 0 for none.
        base_channels: unit of the channel table.
        latent_dim: length of z.
        depth: blocks per stage; the last one of a stage enlarges and changes channels.
        shared_dim: length of the label embedding; 0 means ``latent_dim``.
        shared_embedding: False lets every batch norm keep a row per class; the latent then feeds the
            first linear map only (MMagic without shared embedding).
        instance_dim, instance_embedding_dim, num_attributes, attribute_groups, attribute_embedding: see
            :class:`BigGANGenerator`.
        attention_resolutions: sizes of feature maps after whose stage self-attention is inserted.
        attention_blocks: or the indices of blocks that it follows, counted from 0 over all stages.
        channels: channels before the first and after every stage, in place of the table.
        block_plan: or all blocks themselves, each (enlarge, channels before, channels after).
        bottom_size: height and width of the first feature map.
        projected_shortcut: see :class:`~mmcgan.models.layers.deep_blocks.DeepUpBlock` (StudioGAN).
        latent_first: order of the conditioning vector, [z, embedding] (the published TensorFlow
            weights) or [embedding, z].
        concatenate_latent: False shows the latent to the linear map only and the embedding to the blocks
            only (MMagic without concatenated noise); without an embedding their batch norms are plain.
        bottom_channels_last: the linear map's output is laid out (H, W, C), as in those weights.
        image_filters: filters of the last convolution, of which the first three make the image; more
            than 3 only for those weights, whose spectral norm is over all of them.
        activation_name, spectral_norm, batch_norm, output_batch_norm, implicit, code_dim, init: see
            :class:`BigGANGenerator`.

    Raises:
        ValueError: unknown image size, attention outside the network, or settings that exclude
            each other.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `bottom_size`", square=True)

    has_truncation = True

    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 128,
        latent_dim: int = 128,
        *,
        depth: int = 2,
        shared_dim: int = 128,
        shared_embedding: bool = True,
        instance_dim: int = 0,
        instance_embedding_dim: int = 512,
        num_attributes: int | None = None,
        attribute_groups: Mapping[str, Any] | None = None,
        attribute_embedding: str = "concatenate",
        attention_resolutions: Sequence[int] = (64,),
        attention_blocks: Sequence[int] | None = None,
        channels: Sequence[int] | None = None,
        block_plan: Sequence[BlockPlan] | None = None,
        bottom_size: int = 4,
        projected_shortcut: bool = False,
        latent_first: bool = False,
        concatenate_latent: bool = True,
        bottom_channels_last: bool = False,
        image_filters: int = 3,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = True,
        batch_norm: Mapping[str, object] | None = None,
        output_batch_norm: Mapping[str, object] | None = None,
        implicit: Mapping[str, Any] | None = None,
        code_dim: int = 0,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        plan = list(block_plan or stage_blocks(block_channels(image_size, base_channels, channels), depth))
        sizes = feature_sizes(plan, bottom_size, image_size)
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim + code_dim
        self.bottom_size, self.bottom_channels_last = bottom_size, bottom_channels_last
        self.latent_first, self.concatenate_latent = latent_first, concatenate_latent
        attributes = attribute_sizes(num_attributes, attribute_groups, attribute_embedding)
        instance = (instance_dim, instance_embedding_dim)
        dim = shared_dim or latent_dim
        self.embed_condition(dim, shared_embedding, attributes, instance, code_dim, spectral_norm)
        width = self._first_width(latent_dim)
        told = width if concatenate_latent else self.condition.dim
        norm = self._norm_factory(told, spectral_norm, batch_norm_options(batch_norm))
        self.linear = linear(width, plan[0][1] * bottom_size**2, spectral_norm=spectral_norm)
        layers: dict[str, Any] = dict(norm=norm, activation_name=activation_name, spectral_norm=spectral_norm)
        self.blocks = nn.ModuleList(
            DeepUpBlock(before, after, upsample=up, projected_shortcut=projected_shortcut, **layers)
            for up, before, after in plan
        )
        self.attention = attention_layers(
            sizes, [block[2] for block in plan], attention_resolutions, attention_blocks, spectral_norm
        )
        outer: dict[str, Any] = dict(batch_norm=output_batch_norm, activation_name=activation_name, init=init)
        self.finish(plan[-1][2], implicit, spectral_norm, **outer, filters=image_filters)

    def _first_width(self, latent_dim: int) -> int:
        """Return the length of what the first linear map sees."""
        apart = self.per_class or not self.concatenate_latent
        return latent_dim + self.code_features + (0 if apart else self.condition.dim)

    def _norm_factory(
        self, dim: int, spectral_norm: SpectralNormArg, options: BatchNormOptions
    ) -> NormFactory:
        """Return what makes the batch norm of a block from its number of channels."""
        if self.per_class:
            return partial(
                ConditionalBatchNorm, condition_dim=self.num_classes, encoding="label", options=options
            )
        if not dim:
            return partial(PlainBatchNorm, options=options)
        return partial(ConditionalBatchNorm, condition_dim=dim, spectral_norm=spectral_norm, options=options)

    def _inputs(self, latent: Tensor, embedding: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return what the linear map and what every block sees."""
        if self.per_class or not self.concatenate_latent:
            return latent, embedding
        if embedding is None:
            return latent, latent
        pair = [embedding, latent.to(embedding.dtype)]
        joined = torch.cat(pair[::-1] if self.latent_first else pair, dim=1)
        return joined, joined

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the output of the last block (N, C, H, W).

        Raises:
            ValueError: the latent has another length.
        """
        if latent.shape[1] != self.latent_dim:
            raise ValueError(f"latent has length {latent.shape[1]}, the generator expects {self.latent_dim}")
        if self.codes is not None:
            latent, embedding = self.codes(latent, embedding)
        first, condition = self._inputs(latent, embedding)
        size = self.bottom_size
        x = self.linear(first)
        if self.bottom_channels_last:
            x = x.view(x.shape[0], size, size, -1).permute(0, 3, 1, 2)
        else:
            x = x.view(x.shape[0], -1, size, size)
        return self.through_blocks(x, [condition] * len(self.blocks))

    def first_map(self) -> FirstMap:
        """Return the columns of the first map that see the noise; it sees the embedded condition as well."""
        weight = evaluated_weight(self.linear)
        noise = self.latent_dim - (self.codes.code_dim if self.codes is not None else 0)
        columns = weight[:, :noise] if self.latent_first else weight[:, weight.shape[1] - noise :]
        return FirstMap(padded(columns, self.latent_dim))

    def forward_truncated(self, latent: Tensor, condition: Condition, truncation: float) -> Tensor:
        """Return images of truncated latents, with the batch statistics kept for that truncation.

        Without a table of statistics (``batch_norm=dict(rows=...)``) this is :meth:`forward`.
        """
        with self.truncated_statistics(truncation):
            return self(latent, condition)

    @contextmanager
    def truncated_statistics(self, truncation: float) -> Iterator[None]:
        """Use the batch statistics kept for a truncation meanwhile, where there are tables of them."""
        tables = [module for module in self.modules() if isinstance(module, TabulatedBatchNorm2d)]
        try:
            for table in tables:
                table.truncation = truncation
            yield
        finally:
            for table in tables:
                table.truncation = 1.0


def stage_blocks(widths: Sequence[int], depth: int) -> list[BlockPlan]:
    """Return all blocks of stages between ``widths``: the last of each stage enlarges and narrows."""
    plan: list[BlockPlan] = []
    for before, after in pairwise(widths):
        plan += [(False, before, before)] * (depth - 1) + [(True, before, after)]
    return plan


def feature_sizes(plan: Sequence[BlockPlan], bottom_size: int, image_size: int) -> list[int]:
    """Return the size of the feature map after every block that ends a stage, and 0 after others.

    Raises:
        ValueError: the blocks do not end at ``image_size``, or channels do not fit.
    """
    sizes, size = [], bottom_size
    for enlarge, _, _ in plan:
        size = size * 2 if enlarge else size
        sizes.append(size if enlarge else 0)
    if size != image_size:
        raise ValueError(
            f"BigGANDeepGenerator: the blocks enlarge bottom_size={bottom_size} to {size}, "
            f"not to image_size={image_size}"
        )
    for (_, _, after), (_, before, _) in pairwise(plan):
        if after != before:
            raise ValueError(f"BigGANDeepGenerator: a block of {before} channels follows one of {after}")
    return sizes
