"""The BigGAN-deep generator (Brock et al., 2019, Appendix B)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.base import FirstMap, padded
from mmcgan.models.generators.biggan import CHANNELS
from mmcgan.models.generators.blocks import EmbeddingGenerator, table_channels
from mmcgan.models.layers import linear
from mmcgan.models.layers.deep_blocks import DeepUpBlock
from mmcgan.models.layers.spectral_norm import evaluated_weight
from mmcgan.models.layers.tabulated_norm import TabulatedBatchNorm2d
from mmcgan.models.options import (
    AttentionOptions,
    LayerOptions,
    OutputOptions,
    SharedConditionOptions,
    StageOptions,
)
from mmcgan.option_groups import takes_options
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

#: What a block does: enlarge, channels before, channels after.
BlockPlan = tuple[bool, int, int]


@dataclass(frozen=True, kw_only=True)
class DeepStageOptions(StageOptions):
    """Which blocks there are.

    Attributes:
        depth: blocks per stage; the last one of a stage enlarges and changes channels. ``channels`` are those
            before the first and after every stage.
        block_plan: or all blocks themselves, each (enlarge, channels before, channels after).
        projected_shortcut: see :class:`~mmcgan.models.layers.deep_blocks.DeepUpBlock` (StudioGAN).
    """

    depth: int = 2
    block_plan: Sequence[BlockPlan] | None = None
    projected_shortcut: bool = False

    def plan(self, image_size: int, base_channels: int) -> list[BlockPlan]:
        """Return all blocks.

        Raises:
            ValueError: no table for ``image_size``.
        """
        if self.block_plan:
            return list(self.block_plan)
        widths = table_channels("BigGANDeepGenerator", CHANNELS, image_size, base_channels, self.channels)
        return stage_blocks(widths, self.depth)


@dataclass(frozen=True, kw_only=True)
class DeepForm:
    """What published weights have in another form.

    Attributes:
        latent_first: order of the conditioning vector, [z, embedding] (the published TensorFlow
            weights) or [embedding, z].
        concatenate_latent: False shows the latent to the linear map only and the embedding to the blocks
            only (MMagic without concatenated noise); without an embedding their batch norms are plain.
        bottom_channels_last: the linear map's output is laid out (H, W, C), as in those weights.
        image_filters: filters of the last convolution, of which the first three make the image; more
            than 3 only for those weights, whose spectral norm is over all of them.
    """

    latent_first: bool = False
    concatenate_latent: bool = True
    bottom_channels_last: bool = False
    image_filters: int = 3


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
        condition: see :class:`~mmcgan.models.options.SharedConditionOptions`. Without a shared embedding the
            latent feeds the first linear map only (MMagic).
        attention: see :class:`~mmcgan.models.options.AttentionOptions`; resolutions are those behind a stage,
            blocks are counted over all stages.
        stages: see :class:`DeepStageOptions`.
        form: see :class:`DeepForm`.
        layers: see :class:`~mmcgan.models.options.LayerOptions`.
        output: see :class:`~mmcgan.models.options.OutputOptions`.

    Raises:
        ValueError: unknown image size, attention outside the network, or settings that exclude
            each other.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `bottom_size`", square=True)

    has_truncation = True

    @takes_options
    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 128,
        latent_dim: int = 128,
        *,
        condition: SharedConditionOptions = SharedConditionOptions(),
        attention: AttentionOptions = AttentionOptions(attention_resolutions=(64,)),
        stages: DeepStageOptions = DeepStageOptions(),
        form: DeepForm = DeepForm(),
        layers: LayerOptions = LayerOptions(spectral_norm=True),
        output: OutputOptions = OutputOptions(),
    ) -> None:
        super().__init__()
        plan = stages.plan(image_size, base_channels)
        sizes = feature_sizes(plan, stages.bottom_size, image_size)
        self.image_size, self.num_classes = image_size, num_classes
        self.latent_dim, self.bottom_size, self.form = latent_dim + output.code_dim, stages.bottom_size, form
        norms = layers.spectral_norm
        self.embed_condition(condition, latent_dim, output.code_dim, norms)
        width = self._first_width(latent_dim)
        norm = self.norm_factory(width if form.concatenate_latent else self.condition.dim, layers)
        self.linear = linear(width, plan[0][1] * self.bottom_size**2, spectral_norm=norms)
        block = partial(
            DeepUpBlock,
            norm=norm,
            projected_shortcut=stages.projected_shortcut,
            activation_name=layers.activation_name,
            spectral_norm=norms,
        )
        self.blocks = nn.ModuleList(block(before, after, upsample=up) for up, before, after in plan)
        self.attention = attention.layers(sizes, [block[2] for block in plan], norms)
        self.finish(plan[-1][2], layers, output, form.image_filters)

    def _first_width(self, latent_dim: int) -> int:
        """Return the length of what the first linear map sees."""
        apart = self.per_class or not self.form.concatenate_latent
        return latent_dim + self.code_features + (0 if apart else self.condition.dim)

    def _inputs(self, latent: Tensor, embedding: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return what the linear map and what every block sees."""
        if self.per_class or not self.form.concatenate_latent:
            return latent, embedding
        if embedding is None:
            return latent, latent
        pair = [embedding, latent.to(embedding.dtype)]
        joined = torch.cat(pair[::-1] if self.form.latent_first else pair, dim=1)
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
        if self.form.bottom_channels_last:
            x = x.view(x.shape[0], size, size, -1).permute(0, 3, 1, 2)
        else:
            x = x.view(x.shape[0], -1, size, size)
        return self.through_blocks(x, [condition] * len(self.blocks))

    def first_map(self) -> FirstMap:
        """Return the columns of the first map that see the noise; it sees the embedded condition as well."""
        weight = evaluated_weight(self.linear)
        noise = self.latent_dim - (self.codes.code_dim if self.codes is not None else 0)
        columns = weight[:, :noise] if self.form.latent_first else weight[:, weight.shape[1] - noise :]
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
