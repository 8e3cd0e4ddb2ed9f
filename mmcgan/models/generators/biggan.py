"""The BigGAN generator (Brock et al., "Large Scale GAN Training", 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.conditioning import attribute_sizes
from mmcgan.models.generators.blocks import EmbeddingGenerator
from mmcgan.models.layers import (
    BatchNormOptions,
    ConditionalBatchNorm,
    NormFactory,
    PlainBatchNorm,
    SpectralNormArg,
    UpBlock,
    attention_layers,
    batch_norm_options,
    linear,
)
from mmcgan.registry import GENERATORS

#: Channels in units of ``base_channels``: input of the first block, then output of every block.
#: 32 to 512 are BigGAN-PyTorch's tables; 16 is ours, for small images.
CHANNELS: dict[int, tuple[int, ...]] = {
    16: (4, 4, 4),
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}


def block_channels(image_size: int, base_channels: int, channels: Sequence[int] | None) -> list[int]:
    """Return the channels before the first block and after every block.

    Raises:
        ValueError: no table for ``image_size``; the message lists the sizes.
    """
    if channels is not None:
        return list(channels)
    if image_size not in CHANNELS:
        raise ValueError(f"BigGANGenerator: image_size must be one of {list(CHANNELS)}, got {image_size}")
    return [base_channels * multiple for multiple in CHANNELS[image_size]]


@GENERATORS.register_module()
class BigGANGenerator(EmbeddingGenerator):
    """Maps a latent and a condition to an image through residual up-sampling blocks.

    With ``hierarchical`` the latent is cut into one chunk per block and one for the first linear
    map; ``latent_dim`` is rounded down to a multiple of their number. Block i's batch norms see
    ``[embedding, chunk i+1]``. Three ways to bring in the label:

    * ``shared_embedding=True``: one embedding (:class:`ConditionEmbedding`), from which every
      batch norm predicts gain and bias linearly (ImageNet settings);
    * ``shared_embedding=False``: every batch norm keeps a row per class (CIFAR settings);
    * ``num_classes=0``: no label. Batch norms see the chunk alone, or are plain ones.

    Args:
        image_size: 16, 32, 64, 128, 256 or 512 (any power-of-two multiple of ``bottom_size`` with
            explicit ``channels``).
        num_classes: number of labels, 0 for none.
        base_channels: unit of the channel table.
        latent_dim: length of z asked for; the attribute ``latent_dim`` is the effective one.
        shared_dim: length of the label embedding; 0 means ``latent_dim`` as asked for.
        shared_embedding, hierarchical: see above.
        instance_dim: length of an instance feature, 0 for none (IC-GAN).
        instance_embedding_dim: length of its embedding; 0 passes the feature through.
        num_attributes: number of attributes, 0 for none; None takes that of ``attribute_groups``.
        attribute_groups: names of the attributes by group, as
            :meth:`~mmcgan.attributes.AttributeGroups.from_config` takes them.
        attribute_embedding: ``concatenate`` embeddings of length ``shared_dim``, one for each group, or
            ``sum`` them to one.
        attention_resolutions: sizes of feature maps after whose block self-attention is inserted.
        attention_blocks: or the indices of those blocks, counted from 0.
        channels: channels before the first and after every block, in place of the table.
        bottom_size: height and width of the first feature map.
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: applied to all convolutions and linear maps, not to tables of labels.
        batch_norm: options of the conditional batch norms (:class:`BatchNormOptions`).
        output_batch_norm: options of the last, unconditional one.
        one_hot: per-class gain and bias as linear maps of the one-hot label (StudioGAN).
        implicit: options of :class:`~mmcgan.models.layers.implicit_output.ImplicitOutput`, which then
            replaces the last batch norm and convolution and makes images of any size; None for these.
        code_dim: columns of the codes at the end of the latent, which is longer by them; they reach the
            batch norms through a linear map (InfoGAN; StudioGAN's injection "cBN"). 0 for none.
        init: see :func:`mmcgan.models.layers.initialize`.

    Raises:
        ValueError: unknown image size, attention outside the network, or settings that exclude
            each other.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `bottom_size`", square=True)

    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 96,
        latent_dim: int = 120,
        *,
        shared_dim: int = 128,
        shared_embedding: bool = True,
        hierarchical: bool = True,
        instance_dim: int = 0,
        instance_embedding_dim: int = 512,
        num_attributes: int | None = None,
        attribute_groups: Mapping[str, Any] | None = None,
        attribute_embedding: str = "concatenate",
        attention_resolutions: Sequence[int] = (64,),
        attention_blocks: Sequence[int] | None = None,
        channels: Sequence[int] | None = None,
        bottom_size: int = 4,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = True,
        batch_norm: Mapping[str, object] | None = None,
        output_batch_norm: Mapping[str, object] | None = None,
        one_hot: bool = False,
        implicit: Mapping[str, Any] | None = None,
        code_dim: int = 0,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        widths = block_channels(image_size, base_channels, channels)
        sizes = _feature_sizes(image_size, bottom_size, len(widths) - 1)
        self.image_size, self.num_classes, self.hierarchical = image_size, num_classes, hierarchical
        self.bottom_size, self.bottom_channels = bottom_size, widths[0]
        slots = len(widths) if hierarchical else 1
        self.chunk_dim = _chunk_dim(latent_dim, slots)
        self.latent_dim = self.chunk_dim * slots + code_dim
        attributes = attribute_sizes(num_attributes, attribute_groups, attribute_embedding)
        instance = (instance_dim, instance_embedding_dim)
        dim = shared_dim or latent_dim
        self.embed_condition(dim, shared_embedding, attributes, instance, code_dim, spectral_norm)
        if self.per_class and hierarchical:
            raise ValueError("hierarchical=True needs shared_embedding=True: labels take no latent chunk")
        norm = self._norm_factory(spectral_norm, batch_norm_options(batch_norm), one_hot)
        self.linear = linear(self.chunk_dim, widths[0] * bottom_size**2, spectral_norm=spectral_norm)
        self.blocks = nn.ModuleList(
            UpBlock(a, b, norm=norm, activation_name=activation_name, spectral_norm=spectral_norm)
            for a, b in pairwise(widths)
        )
        self.attention = attention_layers(
            sizes, widths[1:], attention_resolutions, attention_blocks, spectral_norm
        )
        self.finish(
            widths[-1],
            implicit,
            spectral_norm,
            batch_norm=output_batch_norm,
            activation_name=activation_name,
            init=init,
        )

    def _norm_factory(
        self, spectral_norm: SpectralNormArg, options: BatchNormOptions, one_hot: bool
    ) -> NormFactory:
        """Return what makes the batch norm of a block from its number of channels."""
        if self.per_class:
            return partial(
                ConditionalBatchNorm,
                condition_dim=self.num_classes,
                encoding="one_hot" if one_hot else "label",
                spectral_norm=spectral_norm if one_hot else None,
                options=options,
            )
        dim = self.condition.dim + self.code_features + (self.chunk_dim if self.hierarchical else 0)
        if not dim:
            return partial(PlainBatchNorm, options=options)
        return partial(ConditionalBatchNorm, condition_dim=dim, spectral_norm=spectral_norm, options=options)

    def _split(self, latent: Tensor, embedding: Tensor | None) -> tuple[Tensor, list[Tensor | None]]:
        """Return the input of the linear map and the conditioning of every block."""
        if not self.hierarchical:
            return latent, [embedding] * len(self.blocks)
        first, *chunks = latent.split(self.chunk_dim, dim=1)
        if embedding is None:
            return first, list(chunks)
        return first, [torch.cat([embedding, chunk.to(embedding.dtype)], dim=1) for chunk in chunks]

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the output of the last block (N, C, H, W).

        Raises:
            ValueError: the latent has another length.
        """
        if latent.shape[1] != self.latent_dim:
            raise ValueError(
                f"latent has length {latent.shape[1]}, the generator expects {self.latent_dim}"
                " (latent_dim, rounded down to a multiple of blocks + 1 when hierarchical)"
            )
        if self.codes is not None:
            latent, embedding = self.codes(latent, embedding)
        first, conditions = self._split(latent, embedding)
        x = self.linear(first).view(-1, self.bottom_channels, self.bottom_size, self.bottom_size)
        return self.through_blocks(x, conditions)


def _chunk_dim(latent_dim: int, slots: int) -> int:
    if latent_dim < slots:
        raise ValueError(f"latent_dim={latent_dim} is too short for {slots} chunks (blocks + 1)")
    return latent_dim // slots


def _feature_sizes(image_size: int, bottom_size: int, blocks: int) -> list[int]:
    """Return the size of the feature map after every block."""
    sizes = [bottom_size * 2 ** (i + 1) for i in range(blocks)]
    if not sizes or sizes[-1] != image_size:
        raise ValueError(
            f"BigGANGenerator: {blocks} blocks enlarge bottom_size={bottom_size} to "
            f"{sizes[-1] if sizes else bottom_size}, not to image_size={image_size}"
        )
    return sizes
