"""Residual generator of SNGAN and SAGAN (Miyato et al., 2018; Zhang et al., 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.blocks import LabelGenerator
from mmcgan.models.layers import (
    BatchNormOptions,
    ConditionalBatchNorm,
    PlainBatchNorm,
    SpectralNormArg,
    UpBlock,
    attention_layers,
    batch_norm_options,
    linear,
)
from mmcgan.models.layers.code_projection import code_projection
from mmcgan.registry import GENERATORS

#: Channels in units of ``base_channels``: input of the first block, then output of every block
#: (SNGAN, Tables 3 to 5). 256 and 512 continue the row as BigGAN does; 16 is ours.
CHANNELS: dict[int, tuple[int, ...]] = {
    16: (4, 4, 4),
    32: (4, 4, 4, 4),
    64: (16, 8, 4, 2, 1),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}


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
        attention_resolutions: sizes of feature maps after whose block self-attention is inserted.
        attention_blocks: or the indices of those blocks, counted from 0.
        channels: channels before the first and after every block, in place of the table.
        bottom_size: height and width of the first feature map.
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: for the residual blocks (SAGAN); None for SNGAN.
        attention_spectral_norm: for attention; like ``spectral_norm`` if None.
        outer_spectral_norm: for the first linear map and the last convolution; like
            ``spectral_norm`` if None.
        condition_spectral_norm: for the tables of the conditional batch norms.
        batch_norm: options of the batch norms in the blocks (:class:`BatchNormOptions`).
        output_batch_norm: options of the last one; like ``batch_norm`` if None.
        one_hot: per-class gain and bias as linear maps of the one-hot label (StudioGAN).
        unit_gain: whether the gain is 1 + its table (StudioGAN, BigGAN) or the table itself (SNGAN).
        implicit: options of :class:`~mmcgan.models.layers.implicit_output.ImplicitOutput`, which then
            replaces the last batch norm and convolution and makes images of any size; None for these.
        code_dim: columns of the codes at the end of the latent, which is longer by them; they reach the
            batch norms through a linear map (InfoGAN; StudioGAN's injection "cBN"). 0 for none.
        init: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ValueError: no table for the image size, channels that lead to another size, or attention
            outside the network.
    """

    image_shapes = ImageShapes("16, 32, ... 512 pixels, others by `channels` and `bottom_size`", square=True)

    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 64,
        latent_dim: int = 128,
        *,
        attention_resolutions: Sequence[int] = (),
        attention_blocks: Sequence[int] | None = None,
        channels: Sequence[int] | None = None,
        bottom_size: int = 4,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = None,
        attention_spectral_norm: SpectralNormArg = None,
        outer_spectral_norm: SpectralNormArg = None,
        condition_spectral_norm: SpectralNormArg = None,
        batch_norm: Mapping[str, object] | None = None,
        output_batch_norm: Mapping[str, object] | None = None,
        one_hot: bool = False,
        unit_gain: bool = True,
        implicit: Mapping[str, Any] | None = None,
        code_dim: int = 0,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        widths = block_channels(image_size, base_channels, channels)
        attended = spectral_norm if attention_spectral_norm is None else attention_spectral_norm
        outer = spectral_norm if outer_spectral_norm is None else outer_spectral_norm
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim + code_dim
        self.require_label()
        self.bottom_size = bottom_size
        self.linear = linear(latent_dim, widths[0] * bottom_size**2, spectral_norm=outer)
        self.codes = code_projection(code_dim, latent_dim, num_classes, outer)
        norm = ClassNorm(
            num_classes,
            one_hot,
            unit_gain,
            condition_spectral_norm,
            batch_norm_options(batch_norm),
            latent_dim if code_dim else 0,
        )
        self.blocks = nn.ModuleList(
            UpBlock(a, b, norm=norm, activation_name=activation_name, spectral_norm=spectral_norm)
            for a, b in pairwise(widths)
        )
        sizes = [bottom_size << (index + 1) for index in range(len(widths) - 1)]
        check_size("ResNetGenerator", image_size, bottom_size, len(sizes))
        self.attention = attention_layers(
            sizes, widths[1:], attention_resolutions, attention_blocks, attended
        )
        last = batch_norm if output_batch_norm is None else output_batch_norm
        self.finish(widths[-1], implicit, outer, batch_norm=last, activation_name=activation_name, init=init)

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


def block_channels(image_size: int, base_channels: int, channels: Sequence[int] | None) -> list[int]:
    """Return the channels before the first block and after every block.

    Raises:
        ValueError: no table for ``image_size``; the message lists the sizes.
    """
    if channels is not None:
        return list(channels)
    if image_size not in CHANNELS:
        raise ValueError(f"ResNetGenerator: image_size must be one of {list(CHANNELS)}, got {image_size}")
    return [base_channels * multiple for multiple in CHANNELS[image_size]]


def check_size(owner: str, image_size: int, bottom_size: int, blocks: int) -> None:
    """Raise ValueError unless ``blocks`` doublings lead from ``bottom_size`` to ``image_size``."""
    if bottom_size << blocks != image_size:
        raise ValueError(
            f"{owner}: {blocks} blocks enlarge bottom_size={bottom_size} to {bottom_size << blocks}, "
            f"not to image_size={image_size}"
        )
