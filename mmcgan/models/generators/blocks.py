"""What the convolutional generators share: conditions, blocks with attention, a last convolution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from torch import Tensor, nn

from mmcgan.models.conditioning import ConditionEmbedding, check_labels, require_field
from mmcgan.models.generators.base import FirstMap, padded
from mmcgan.models.generators.output import ImageGenerator, implicit_output
from mmcgan.models.layers import (
    ConditionalBatchNorm,
    NormFactory,
    PlainBatchNorm,
    SpectralNormArg,
    activation,
    batch_norm_options,
    conv2d,
    initialize,
)
from mmcgan.models.layers.code_projection import code_projection
from mmcgan.models.layers.spectral_norm import evaluated_weight
from mmcgan.models.options import LayerOptions, OutputOptions, SharedConditionOptions
from mmcgan.structures import Condition

#: Names of a block's conditional norms.
NORMS = ("norm1", "norm2")


def table_channels(
    owner: str,
    table: Mapping[int, Sequence[int]],
    image_size: int,
    base_channels: int,
    channels: Sequence[int] | None,
) -> list[int]:
    """Return the channels before the first block and after every block.

    Args:
        owner: the generator, for messages.
        table: channels in units of ``base_channels`` by the size of images.
        image_size, base_channels: of the generator.
        channels: the channels themselves, in place of the table.

    Raises:
        ValueError: no row for ``image_size``; the message lists the sizes.
    """
    if channels is not None:
        return list(channels)
    if image_size not in table:
        raise ValueError(f"{owner}: image_size must be one of {list(table)}, got {image_size}")
    return [base_channels * multiple for multiple in table[image_size]]


class BlockGenerator(ImageGenerator):
    """A generator that ends in blocks with attention between them, batch norm, activation and a convolution.

    Attributes:
        blocks: each takes features and what conditions them.
        attention: by the index of the block that it follows.
        linear: what the latent meets first.
    """

    blocks: nn.ModuleList
    attention: nn.ModuleDict
    linear: nn.Module

    def finish(self, channels: int, layers: LayerOptions, output: OutputOptions, filters: int = 3) -> None:
        """Add the layers that make an image of ``channels`` features, then initialise all weights.

        Args:
            channels: of the last block.
            layers: of these layers; ``init`` is for all weights but an implicit layer's.
            output: which layers they are.
            filters: of the convolution.
        """
        if output.implicit is None:
            self.output_norm = PlainBatchNorm(channels, batch_norm_options(output.output_batch_norm))
            self.output_activation = activation(layers.activation_name)
            self.output_conv = conv2d(channels, filters, 3, padding=1, spectral_norm=layers.spectral_norm)
        initialize(self, layers.init)
        self.implicit = implicit_output(channels, output.implicit, layers.spectral_norm)

    def through_blocks(self, x: Tensor, conditions: Iterable[Tensor | None]) -> Tensor:
        """Return the features (N, C, H, W) behind all blocks, each with its own of ``conditions``."""
        for index, (block, condition) in enumerate(zip(self.blocks, conditions, strict=True)):
            x = block(x, condition)
            if str(index) in self.attention:
                x = self.attention[str(index)](x)
        return x

    def first_map(self) -> FirstMap:
        """Return the first linear map; chunks and codes that it does not see have columns of zeros."""
        return FirstMap(padded(evaluated_weight(self.linear), self.latent_dim))

    def norms(self) -> Mapping[str, tuple[nn.Module, str]]:
        """Return the conditional norms of the blocks."""
        blocks = self.blocks.named_children()
        return {
            f"{index}.{name}": (block, name)
            for index, block in blocks
            for name, _ in block.named_children()
            if name in NORMS
        }

    def convolve(self, features: Tensor) -> Tensor:
        """Return the colours (N, 3, H, W), before tanh."""
        return self.output_conv(self.output_activation(self.output_norm(features)))[:, :3]


class LabelGenerator(BlockGenerator):
    """A generator whose layers look the label up, each in its own table."""

    def require_label(self) -> None:
        """Say whether the label must be there, once ``num_classes`` is known."""
        self.requires = ("label",) if self.num_classes else ()

    def embed(self, condition: Condition) -> Tensor | None:
        """Return the labels (N,); None if unconditional.

        Raises:
            ValueError: the label is absent or out of range.
        """
        if not self.num_classes:
            return None
        label = require_field(condition, "label")
        check_labels(label, self.num_classes)
        return label


class EmbeddingGenerator(LabelGenerator):
    """A generator whose layers share one embedding of the condition, or look the label up (``per_class``).

    Attributes:
        condition: the shared embedding, of nothing if ``per_class``.
        per_class: whether there is no shared embedding of the label.
        codes: maps the codes at the end of the latent to ``code_features`` of the embedding; None without.
    """

    condition: ConditionEmbedding
    per_class: bool
    code_features: int

    def embed_condition(
        self,
        condition: SharedConditionOptions,
        latent_dim: int,
        code_dim: int,
        spectral_norm: SpectralNormArg,
    ) -> None:
        """Add the embedding, and the map of codes.

        Args:
            condition: how it is embedded.
            latent_dim: length of the embedding where ``condition`` says none.
            code_dim: columns of codes, which need a shared embedding too.
            spectral_norm: of the linear maps.

        Raises:
            ValueError: other parts than the label without a shared embedding.
        """
        dim = condition.shared_dim or latent_dim
        self.per_class = bool(self.num_classes) and not condition.shared_embedding
        if self.per_class and (condition.instance_dim or condition.sizes() or code_dim):
            raise ValueError("instance_dim, num_attributes and code_dim need shared_embedding=True")
        self.condition = condition.embedding(0 if self.per_class else self.num_classes, dim, spectral_norm)
        self.code_features = dim if code_dim else 0
        self.codes = code_projection(code_dim, self.code_features, spectral_norm=spectral_norm)
        self.requires = ("label",) if self.per_class else tuple(self.condition.requires)

    def norm_factory(self, dim: int, layers: LayerOptions, one_hot: bool = False) -> NormFactory:
        """Return what makes the batch norm of a block from its number of channels.

        Args:
            dim: length of the vector that conditions it; 0 for a plain one.
            layers: its options.
            one_hot: whether a row per class is a linear map of the one-hot label.
        """
        if self.per_class:
            return partial(
                ConditionalBatchNorm,
                condition_dim=self.num_classes,
                encoding="one_hot" if one_hot else "label",
                spectral_norm=layers.spectral_norm if one_hot else None,
                options=layers.norm,
            )
        if not dim:
            return partial(PlainBatchNorm, options=layers.norm)
        return partial(
            ConditionalBatchNorm,
            condition_dim=dim,
            spectral_norm=layers.spectral_norm,
            options=layers.norm,
        )

    def embed(self, condition: Condition) -> Tensor | None:
        """Return the conditioning vector (N, dim); the labels (N,) without a shared embedding; or None.

        Raises:
            ValueError: a field that the generator was built for is absent or out of range.
        """
        return super().embed(condition) if self.per_class else self.condition(condition)
