"""Convolutional generator of DCGAN (Radford et al., 2016), conditional by batch norm."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.blocks import LabelGenerator
from mmcgan.models.generators.output import implicit_output
from mmcgan.models.generators.resnet import ClassNorm
from mmcgan.models.layers import (
    SpectralNormArg,
    activation,
    conv2d,
    conv_transpose2d,
    initialize,
    linear,
)
from mmcgan.models.layers.code_projection import code_projection
from mmcgan.models.options import AttentionOptions, ColourOptions, LayerOptions
from mmcgan.option_groups import takes_options
from mmcgan.registry import GENERATORS

BOTTOM = 4

#: Makes the normalisation of a number of channels; its module takes (x, label).
NormFactory = Callable[[int], nn.Module]


def number_of_doublings(owner: str, image_size: int) -> int:
    """Return log2(image_size / 4).

    Raises:
        ValueError: the size is not 4 times a power of two, or below 8.
    """
    doublings = (image_size // BOTTOM).bit_length() - 1
    if doublings < 1 or image_size != BOTTOM << doublings:
        raise ValueError(f"{owner}: image_size must be 8, 16, 32, 64, ..., got {image_size}")
    return doublings


class DoublingBlock(nn.Module):
    """4x4 transposed convolution with stride 2, normalisation, activation."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm: NormFactory,
        activation_name: str,
        spectral_norm: SpectralNormArg,
    ) -> None:
        super().__init__()
        self.conv = conv_transpose2d(
            in_channels, out_channels, 4, stride=2, padding=1, spectral_norm=spectral_norm
        )
        self.norm = norm(out_channels)
        self.activation = activation(activation_name)

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Map (N, in, H, W) to (N, out, 2H, 2W) under labels (N,) or None."""
        return self.activation(self.norm(self.conv(x), label))


@GENERATORS.register_module()
class DCGANGenerator(LabelGenerator):
    """Latent -> linear -> 4x4 -> transposed convolutions that double the size -> 3x3 -> tanh.

    The channels halve with every doubling and end at ``base_channels``, as in StudioGAN's
    ``deep_conv``, whose last layer is a 3x3 convolution instead of a transposed one.

    Args:
        image_size: 4 times a power of two, at least 8.
        num_classes: number of labels; 0 for an unconditional network with plain batch norm.
        base_channels: channels in front of the last convolution.
        latent_dim: length of z.
        condition_spectral_norm: for the tables of the conditional batch norms.
        one_hot: per-class gain and bias as linear maps of the one-hot label (StudioGAN).
        attention: see :class:`~mmcgan.models.options.AttentionOptions`.
        layers: see :class:`~mmcgan.models.options.LayerOptions`.
        colours: see :class:`~mmcgan.models.options.ColourOptions`.

    Raises:
        ValueError: unusable image size, or attention outside the network.
    """

    image_shapes = ImageShapes("8, 16, 32, ... pixels", square=True)

    @takes_options
    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 64,
        latent_dim: int = 128,
        *,
        condition_spectral_norm: SpectralNormArg = None,
        one_hot: bool = False,
        attention: AttentionOptions = AttentionOptions(),
        layers: LayerOptions = LayerOptions(init="normal"),
        colours: ColourOptions = ColourOptions(),
    ) -> None:
        super().__init__()
        doublings = number_of_doublings("DCGANGenerator", image_size)
        widths = [base_channels << (doublings - index) for index in range(doublings + 1)]
        self.image_size, self.num_classes = image_size, num_classes
        self.latent_dim, norms = latent_dim + colours.code_dim, layers.spectral_norm
        self.require_label()
        self.linear = linear(latent_dim, widths[0] * BOTTOM**2, spectral_norm=norms)
        self.codes = code_projection(colours.code_dim, latent_dim, num_classes, norms)
        code_features = latent_dim if colours.code_dim else 0
        norm = ClassNorm(num_classes, one_hot, True, condition_spectral_norm, layers.norm, code_features)
        self.blocks = nn.ModuleList(
            DoublingBlock(a, b, norm, layers.activation_name, norms) for a, b in pairwise(widths)
        )
        sizes = [BOTTOM << (index + 1) for index in range(doublings)]
        self.attention = attention.layers(sizes, widths[1:], norms)
        if colours.implicit is None:
            self.output_conv = conv2d(widths[-1], 3, 3, padding=1, spectral_norm=norms)
        initialize(self, layers.init)
        self.implicit = implicit_output(widths[-1], colours.implicit, norms)

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the output of the last doubling (N, C, H, W) from z (N, latent_dim) and labels or None."""
        if self.codes is not None:
            latent, embedding = self.codes(latent, embedding)
        x = self.linear(latent).unflatten(1, (-1, BOTTOM, BOTTOM))
        return self.through_blocks(x, [embedding] * len(self.blocks))

    def convolve(self, features: Tensor) -> Tensor:
        """Return the colours (N, 3, H, W), before tanh."""
        return self.output_conv(features)
