"""Groups of options that networks share: what a condition says, how layers are made, where a network ends.

A constructor that takes a group is decorated with :func:`~mmcgan.option_groups.takes_options`, so
that configs and callers give the fields by name. The defaults below are those of most networks; a network
with other ones states them in its own default group, and its signature has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from torch import nn

from mmcgan.models.conditioning import ConditionEmbedding, attribute_sizes
from mmcgan.models.layers import (
    BatchNormOptions,
    NormFactory,
    PlainBatchNorm,
    SpectralNormArg,
    attention_layers,
    batch_norm_options,
)

POOLINGS = ("sum", "mean")


def check_pooling(owner: str, pooling: str) -> None:
    """Raise ValueError unless ``pooling`` is known."""
    if pooling not in POOLINGS:
        raise ValueError(f"{owner}: pooling must be one of {POOLINGS}, got {pooling!r}")


@dataclass(frozen=True, kw_only=True)
class ConditionOptions:
    """What a condition has beside the label, and how it is embedded.

    Attributes:
        instance_dim: length of an instance feature, 0 for none (IC-GAN).
        instance_embedding_dim: length of its embedding; 0 passes the feature through.
        num_attributes: number of attributes, 0 for none; None takes that of ``attribute_groups``.
        attribute_groups: names of the attributes by group, as
            :meth:`~mmcgan.attributes.AttributeGroups.from_config` takes them.
        attribute_embedding: ``concatenate`` embeddings of the groups, or ``sum`` them to one.
    """

    instance_dim: int = 0
    instance_embedding_dim: int = 512
    num_attributes: int | None = None
    attribute_groups: Mapping[str, Any] | None = None
    attribute_embedding: str = "concatenate"

    #: whether instances are as large as rows of a table, see :class:`ConditionEmbedding`
    unit_instances: ClassVar[bool] = False

    def embedding(self, num_classes: int, dim: int, spectral_norm: SpectralNormArg) -> ConditionEmbedding:
        """Return the embedding of a condition.

        Args:
            num_classes: number of labels, 0 for none.
            dim: length of the label's embedding, and of every group of attributes.
            spectral_norm: of the instance's map.

        Raises:
            ValueError: see :func:`~mmcgan.models.conditioning.attribute_sizes`.
        """
        return ConditionEmbedding(
            num_classes,
            dim,
            attribute_dim=dim,
            attribute_sizes=self.sizes(),
            instance_dim=self.instance_dim,
            instance_embedding_dim=self.instance_embedding_dim,
            spectral_norm=spectral_norm,
            unit_instances=self.unit_instances,
        )

    def sizes(self) -> list[int]:
        """Return the sizes of the groups of attributes; see :func:`attribute_sizes`."""
        return attribute_sizes(self.num_attributes, self.attribute_groups, self.attribute_embedding)


@dataclass(frozen=True, kw_only=True)
class SharedConditionOptions(ConditionOptions):
    """Options of a condition that all layers may see through one embedding (BigGAN).

    Attributes:
        shared_dim: length of the label's embedding, and of every group of attributes; 0 means ``latent_dim``
            as asked for.
        shared_embedding: False lets every batch norm keep a row per class instead.
    """

    shared_dim: int = 128
    shared_embedding: bool = True


@dataclass(frozen=True, kw_only=True)
class LabelledConditionOptions(ConditionOptions):
    """Options of a condition whose label has an embedding of its own length; instances are as large as it.

    Attributes:
        label_dim: length of the label's embedding, and of every group of attributes.
    """

    unit_instances: ClassVar[bool] = True

    label_dim: int = 0


@dataclass(frozen=True, kw_only=True)
class AttentionOptions:
    """Where self-attention is.

    Attributes:
        attention_resolutions: sizes of feature maps after whose block self-attention is inserted.
        attention_blocks: or the indices of those blocks, counted from 0.
    """

    attention_resolutions: Sequence[int] = ()
    attention_blocks: Sequence[int] | None = None

    def layers(
        self, sizes: Sequence[int], widths: Sequence[int], spectral_norm: SpectralNormArg
    ) -> nn.ModuleDict:
        """Return the layers, see :func:`~mmcgan.models.layers.attention_layers`."""
        places = (self.attention_resolutions, self.attention_blocks)
        return attention_layers(sizes, widths, *places, spectral_norm)


@dataclass(frozen=True, kw_only=True)
class WeightOptions:
    """How weights start and what bounds them.

    Attributes:
        spectral_norm: of convolutions and linear maps, not of tables of labels: whether, or options of
            :class:`~mmcgan.models.layers.spectral_norm.SpectralNormOptions`.
        init: see :func:`mmcgan.models.layers.initialize`.
    """

    spectral_norm: SpectralNormArg = None
    init: str = "orthogonal"


@dataclass(frozen=True, kw_only=True)
class LayerOptions(WeightOptions):
    """How the layers of a convolutional network are made.

    Attributes:
        activation_name: see :func:`mmcgan.models.layers.activation`.
        batch_norm: options of the batch norms (:class:`~mmcgan.models.layers.BatchNormOptions`); None is the
            defaults in a generator, and no batch norm in a backbone.
    """

    activation_name: str = "relu"
    batch_norm: Mapping[str, object] | None = None

    @property
    def norm(self) -> BatchNormOptions:
        """Options of the batch norms of a generator."""
        return batch_norm_options(self.batch_norm)


@dataclass(frozen=True, kw_only=True)
class SeparateLayerOptions(LayerOptions):
    """Options of layers whose spectral norms differ by what they do (SNGAN, SAGAN).

    Attributes:
        attention_spectral_norm: of attention; like ``spectral_norm`` if None.
        outer_spectral_norm: of the first linear map and the last convolution; likewise.
        condition_spectral_norm: of the tables of the conditional batch norms.
    """

    attention_spectral_norm: SpectralNormArg = None
    outer_spectral_norm: SpectralNormArg = None
    condition_spectral_norm: SpectralNormArg = None

    @property
    def attended(self) -> SpectralNormArg:
        """Spectral norm of attention."""
        return self.spectral_norm if self.attention_spectral_norm is None else self.attention_spectral_norm

    @property
    def outer(self) -> SpectralNormArg:
        """Spectral norm of the first and of the last map."""
        return self.spectral_norm if self.outer_spectral_norm is None else self.outer_spectral_norm


@dataclass(frozen=True, kw_only=True)
class PooledLayerOptions(LayerOptions):
    """Options of the layers of a backbone, which ends in pooled features.

    Attributes:
        pooling: ``sum`` over positions (as published) or ``mean``.
    """

    pooling: str = "sum"

    def check(self, owner: str) -> None:
        """Raise ValueError unless ``pooling`` is known."""
        check_pooling(owner, self.pooling)

    def norm_factory(self) -> NormFactory | None:
        """Return what makes a batch norm of a number of channels; None for no batch norm."""
        if self.batch_norm is None:
            return None
        return partial(PlainBatchNorm, options=self.norm)


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """Which feature maps a generator has.

    Attributes:
        channels: channels before the first and after every block, in place of the table.
        bottom_size: height and width of the first feature map.
    """

    channels: Sequence[int] | None = None
    bottom_size: int = 4


@dataclass(frozen=True, kw_only=True)
class HalvingOptions:
    """Which feature maps a backbone has.

    Attributes:
        channels: output channels of every block, in place of the table.
        downsample: whether each block halves its input, in place of the table.
    """

    channels: Sequence[int] | None = None
    downsample: Sequence[bool] | None = None


@dataclass(frozen=True, kw_only=True)
class ColourOptions:
    """How a generator ends, and what its latent ends in.

    Attributes:
        implicit: options of :class:`~mmcgan.models.layers.implicit_output.ImplicitOutput`, which then
            replaces the last batch norm and convolution and makes images of any size; None for these.
        code_dim: columns of the codes at the end of the latent, which is longer by them; they reach the
            batch norms through a linear map (InfoGAN; StudioGAN's injection "cBN"). 0 for none.
    """

    implicit: Mapping[str, Any] | None = None
    code_dim: int = 0


@dataclass(frozen=True, kw_only=True)
class OutputOptions(ColourOptions):
    """The same for a generator with a batch norm in front of its last convolution.

    Attributes:
        output_batch_norm: options of that unconditional batch norm.
    """

    output_batch_norm: Mapping[str, object] | None = None
