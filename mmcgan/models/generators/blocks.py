"""What the convolutional generators share: conditions, blocks with attention, a last convolution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mmcgan.models.conditioning import ConditionEmbedding, check_labels, require_field
from mmcgan.models.generators.base import FirstMap, padded
from mmcgan.models.generators.output import ImageGenerator, implicit_output
from mmcgan.models.layers import (
    PlainBatchNorm,
    SpectralNormArg,
    activation,
    batch_norm_options,
    conv2d,
    initialize,
)
from mmcgan.models.layers.code_projection import code_projection
from mmcgan.models.layers.spectral_norm import evaluated_weight
from mmcgan.structures import Condition

#: Names of a block's conditional norms.
NORMS = ("norm1", "norm2")


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

    def finish(
        self,
        channels: int,
        implicit: Mapping[str, Any] | None,
        spectral_norm: SpectralNormArg,
        *,
        batch_norm: Mapping[str, object] | None,
        activation_name: str,
        init: str,
        filters: int = 3,
    ) -> None:
        """Add the layers that make an image of ``channels`` features, then initialise all weights.

        Args:
            channels: of the last block.
            implicit: options of the layer that replaces batch norm and convolution, or None.
            spectral_norm: of the last convolution or the implicit layer.
            batch_norm, activation_name: in front of the convolution.
            init: see :func:`mmcgan.models.layers.initialize`; the implicit layer keeps torch's start.
            filters: of the convolution.
        """
        if implicit is None:
            self.output_norm = PlainBatchNorm(channels, batch_norm_options(batch_norm))
            self.output_activation = activation(activation_name)
            self.output_conv = conv2d(channels, filters, 3, padding=1, spectral_norm=spectral_norm)
        initialize(self, init)
        self.implicit = implicit_output(channels, implicit, spectral_norm)

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
        embedding_dim: int,
        shared: bool,
        attributes: Sequence[int],
        instance: tuple[int, int],
        code_dim: int,
        spectral_norm: SpectralNormArg,
    ) -> None:
        """Add the embedding, and the map of codes.

        Args:
            embedding_dim: of the label and of every group of attributes.
            shared: whether the label has a shared embedding.
            attributes: sizes of the groups of attributes.
            instance: lengths of the instance and of its embedding; 0 for no instance.
            code_dim: columns of codes, which need a shared embedding too.
            spectral_norm: of the linear maps.

        Raises:
            ValueError: other parts than the label without a shared embedding.
        """
        self.per_class = bool(self.num_classes) and not shared
        if self.per_class and (instance[0] or attributes or code_dim):
            raise ValueError("instance_dim, num_attributes and code_dim need shared_embedding=True")
        self.condition = ConditionEmbedding(
            0 if self.per_class else self.num_classes,
            embedding_dim,
            attribute_dim=embedding_dim,
            attribute_sizes=attributes,
            instance_dim=instance[0],
            instance_embedding_dim=instance[1],
            spectral_norm=spectral_norm,
        )
        self.code_features = embedding_dim if code_dim else 0
        self.codes = code_projection(code_dim, self.code_features, spectral_norm=spectral_norm)
        self.requires = ("label",) if self.per_class else tuple(self.condition.requires)

    def embed(self, condition: Condition) -> Tensor | None:
        """Return the conditioning vector (N, dim); the labels (N,) without a shared embedding; or None.

        Raises:
            ValueError: a field that the generator was built for is absent or out of range.
        """
        return super().embed(condition) if self.per_class else self.condition(condition)
