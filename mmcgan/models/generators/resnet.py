"""Residual generator of SNGAN and SAGAN (Miyato et al., 2018; Zhang et al., 2019)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.biggan import CHANNELS as BIGGAN_CHANNELS
from mmcgan.models.generators.blocks import LabelGenerator, table_channels
from mmcgan.models.layers import (
    BatchNormOptions,
    ConditionalBatchNorm,
    PlainBatchNorm,
    SpectralNormArg,
    UpBlock,
    linear,
)
from mmcgan.models.layers.code_projection import code_projection
from mmcgan.models.options import AttentionOptions, OutputOptions, SeparateLayerOptions, StageOptions
from mmcgan.option_groups import takes_options
from mmcgan.registry import GENERATORS

#: Channels in units of ``base_channels``: input of the first block, then output of every block
#: (SNGAN, Tables 3 to 5). 256 and 512 continue the row as BigGAN does; 16 is ours.
CHANNELS = {**BIGGAN_CHANNELS, 64: (16, 8, 4, 2, 1)}


@GENERATORS.register_module()
class ResNetGenerator(LabelGenerator):
    """Latent -> linear -> 4x4 -> residual blocks that double the size -> RGB.

    The class enters through conditional batch normalisation with one row of gains and biases per
    class and layer, so ``embed`` passes the labels on.

    Args:
        image_size: 16, 32, 64, 128, 256 or 512.
        num_classes: number of labels; 0 for an unconditional network with plain batch norm.
        base_channels: unit of the channel table.
        latent_dim: length of z.
        one_hot: per-class gain and bias as linear maps of the one-hot label (StudioGAN).
        unit_gain: whether the gain is 1 + its table (StudioGAN, BigGAN) or the table itself (SNGAN).
        attention: see :class:`~mmcgan.models.options.AttentionOptions`.
        stages: see :class:`~mmcgan.models.options.StageOptions`.
        layers: see :class:`~mmcgan.models.options.SeparateLayerOptions`; ``spectral_norm`` is of the
            residual blocks (SAGAN), None for SNGAN.
        output: see :class:`~mmcgan.models.options.OutputOptions`; ``output_batch_norm`` is like
            ``batch_norm`` if None.

    Raises:
        ValueError: no table for the image size, channels that lead to another size, or attention
            outside the network.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `bottom_size`", square=True)

    @takes_options
    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 64,
        latent_dim: int = 128,
        *,
        one_hot: bool = False,
        unit_gain: bool = True,
        attention: AttentionOptions = AttentionOptions(),
        stages: StageOptions = StageOptions(),
        layers: SeparateLayerOptions = SeparateLayerOptions(),
        output: OutputOptions = OutputOptions(),
    ) -> None:
        super().__init__()
        widths = table_channels("ResNetGenerator", CHANNELS, image_size, base_channels, stages.channels)
        self.image_size, self.num_classes = image_size, num_classes
        self.latent_dim = latent_dim + output.code_dim
        self.require_label()
        self.bottom_size = bottom = stages.bottom_size
        self.linear = linear(latent_dim, widths[0] * bottom**2, spectral_norm=layers.outer)
        self.codes = code_projection(output.code_dim, latent_dim, num_classes, layers.outer)
        tables, code_features = layers.condition_spectral_norm, latent_dim if output.code_dim else 0
        norm = ClassNorm(num_classes, one_hot, unit_gain, tables, layers.norm, code_features)
        block = partial(
            UpBlock, norm=norm, activation_name=layers.activation_name, spectral_norm=layers.spectral_norm
        )
        self.blocks = nn.ModuleList(block(before, after) for before, after in pairwise(widths))
        sizes = [bottom << (index + 1) for index in range(len(widths) - 1)]
        check_size("ResNetGenerator", image_size, bottom, len(sizes))
        self.attention = attention.layers(sizes, widths[1:], layers.attended)
        last = layers.batch_norm if output.output_batch_norm is None else output.output_batch_norm
        outer, ended = replace(layers, spectral_norm=layers.outer), replace(output, output_batch_norm=last)
        self.finish(widths[-1], outer, ended)

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the output of the last block (N, C, H, W) from z (N, latent_dim) and labels or None."""
        if self.codes is not None:
            latent, embedding = self.codes(latent, embedding)
        x = self.linear(latent).unflatten(1, (-1, self.bottom_size, self.bottom_size))
        return self.through_blocks(x, [embedding] * len(self.blocks))


class ClassNorm:
    """Makes the batch norms of a generator: conditional on label and codes, or plain without any.

    Raises:
        ValueError: codes (``code_features``) where the gain is the table itself.
    """

    def __init__(
        self,
        num_classes: int,
        one_hot: bool,
        unit_gain: bool,
        spectral_norm: SpectralNormArg,
        options: BatchNormOptions,
        code_features: int = 0,
    ) -> None:
        if code_features and not unit_gain:
            raise ValueError("code_dim needs unit_gain=True: a gain of codes alone would start at random")
        self.num_classes, self.unit_gain = num_classes, unit_gain
        self.code_features = code_features
        self.encoding = "vector" if code_features else "one_hot" if one_hot else "label"
        self.spectral_norm, self.options = spectral_norm, options

    def __call__(self, channels: int) -> nn.Module:
        """Return the batch norm of (N, ``channels``, H, W), called as ``norm(x, label)``."""
        if not self.num_classes + self.code_features:
            return PlainBatchNorm(channels, self.options)
        norm = ConditionalBatchNorm(
            channels,
            self.num_classes + self.code_features,
            encoding=self.encoding,
            spectral_norm=self.spectral_norm,
            options=self.options,
            unit_gain=self.unit_gain,
        )
        if self.code_features and self.num_classes:  # one-hot labels in front of the codes' vector
            norm.class_columns = ("gain", "bias")
        return norm


def check_size(owner: str, image_size: int, bottom_size: int, blocks: int) -> None:
    """Raise ValueError unless ``blocks`` doublings lead from ``bottom_size`` to ``image_size``."""
    if bottom_size << blocks != image_size:
        raise ValueError(
            f"{owner}: {blocks} blocks enlarge bottom_size={bottom_size} to {bottom_size << blocks}, "
            f"not to image_size={image_size}"
        )
