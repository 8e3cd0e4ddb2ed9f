"""The BigGAN generator (Brock et al., "Large Scale GAN Training", 2019)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.blocks import EmbeddingGenerator, table_channels
from mmcgan.models.layers import UpBlock, linear
from mmcgan.models.options import (
    AttentionOptions,
    LayerOptions,
    OutputOptions,
    SharedConditionOptions,
    StageOptions,
)
from mmcgan.option_groups import takes_options
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
        hierarchical: see above.
        one_hot: per-class gain and bias as linear maps of the one-hot label (StudioGAN).
        condition: see :class:`~mmcgan.models.options.SharedConditionOptions`.
        attention: see :class:`~mmcgan.models.options.AttentionOptions`.
        stages: see :class:`~mmcgan.models.options.StageOptions`.
        layers: see :class:`~mmcgan.models.options.LayerOptions`.
        output: see :class:`~mmcgan.models.options.OutputOptions`.

    Raises:
        ValueError: unknown image size, attention outside the network, or settings that exclude
            each other.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `bottom_size`", square=True)

    @takes_options
    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 96,
        latent_dim: int = 120,
        *,
        hierarchical: bool = True,
        one_hot: bool = False,
        condition: SharedConditionOptions = SharedConditionOptions(),
        attention: AttentionOptions = AttentionOptions(attention_resolutions=(64,)),
        stages: StageOptions = StageOptions(),
        layers: LayerOptions = LayerOptions(spectral_norm=True),
        output: OutputOptions = OutputOptions(),
    ) -> None:
        super().__init__()
        widths = table_channels("BigGANGenerator", CHANNELS, image_size, base_channels, stages.channels)
        sizes = _feature_sizes(image_size, stages.bottom_size, len(widths) - 1)
        self.image_size, self.num_classes, self.hierarchical = image_size, num_classes, hierarchical
        self.bottom_size, self.bottom_channels = stages.bottom_size, widths[0]
        slots = len(widths) if hierarchical else 1
        self.chunk_dim = _chunk_dim(latent_dim, slots)
        self.latent_dim = self.chunk_dim * slots + output.code_dim
        norms = layers.spectral_norm
        self.embed_condition(condition, latent_dim, output.code_dim, norms)
        if self.per_class and hierarchical:
            raise ValueError("hierarchical=True needs shared_embedding=True: labels take no latent chunk")
        told = self.condition.dim + self.code_features + (self.chunk_dim if hierarchical else 0)
        norm = self.norm_factory(told, layers, one_hot)
        self.linear = linear(self.chunk_dim, widths[0] * self.bottom_size**2, spectral_norm=norms)
        self.blocks = nn.ModuleList(
            UpBlock(a, b, norm=norm, activation_name=layers.activation_name, spectral_norm=norms)
            for a, b in pairwise(widths)
        )
        self.attention = attention.layers(sizes, widths[1:], norms)
        self.finish(widths[-1], layers, output)

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
