"""Convolutional generator of DCGAN (Radford et al., 2016), conditional by batch norm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.blocks import LabelGenerator
from mmcgan.models.generators.output import implicit_output
from mmcgan.models.generators.resnet import ClassNorm
from mmcgan.models.layers import (
    SpectralNormArg,
    activation,
    attention_layers,
    batch_norm_options,
    conv2d,
    conv_transpose2d,
    initialize,
    linear,
)
from mmcgan.models.layers.code_projection import code_projection
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
        attention_resolutions: sizes of feature maps after which self-attention is inserted.
        attention_blocks: or the indices of the doublings, counted from 0.
        activation_name: see :func:`mmcgan.models.layers.activation`.
        spectral_norm: for convolutions and the linear map.
        condition_spectral_norm: for the tables of the conditional batch norms.
        batch_norm: options of the batch norms (:class:`BatchNormOptions`).
        one_hot: per-class gain and bias as linear maps of the one-hot label (StudioGAN).
        implicit: options of :class:`~mmcgan.models.layers.implicit_output.ImplicitOutput`, which then
            replaces the last convolution and makes images of any size; None for these.
        code_dim: columns of the codes at the end of the latent, which is longer by them; they reach the
            batch norms through a linear map (InfoGAN; StudioGAN's injection "cBN"). 0 for none.
        init: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ValueError: unusable image size, or attention outside the network.
    """

    image_shapes = ImageShapes("8, 16, 32, ... pixels", square=True)

    def __init__(
        self,
        image_size: int,
        num_classes: int,
        base_channels: int = 64,
        latent_dim: int = 128,
        *,
        attention_resolutions: Sequence[int] = (),
        attention_blocks: Sequence[int] | None = None,
        activation_name: str = "relu",
        spectral_norm: SpectralNormArg = None,
        condition_spectral_norm: SpectralNormArg = None,
        batch_norm: Mapping[str, object] | None = None,
        one_hot: bool = False,
        implicit: Mapping[str, Any] | None = None,
        code_dim: int = 0,
        init: str = "normal",
    ) -> None:
        super().__init__()
        doublings = number_of_doublings("DCGANGenerator", image_size)
        widths = [base_channels << (doublings - index) for index in range(doublings + 1)]
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim + code_dim
        self.require_label()
        self.linear = linear(latent_dim, widths[0] * BOTTOM**2, spectral_norm=spectral_norm)
        self.codes = code_projection(code_dim, latent_dim, num_classes, spectral_norm)
        options, code_features = batch_norm_options(batch_norm), latent_dim if code_dim else 0
        norm = ClassNorm(num_classes, one_hot, True, condition_spectral_norm, options, code_features)
        self.blocks = nn.ModuleList(
            DoublingBlock(a, b, norm, activation_name, spectral_norm) for a, b in pairwise(widths)
        )
        sizes = [BOTTOM << (index + 1) for index in range(doublings)]
        self.attention = attention_layers(
            sizes, widths[1:], attention_resolutions, attention_blocks, spectral_norm
        )
        if implicit is None:
            self.output_conv = conv2d(widths[-1], 3, 3, padding=1, spectral_norm=spectral_norm)
        initialize(self, init)
        self.implicit = implicit_output(widths[-1], implicit, spectral_norm)

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the output of the last doubling (N, C, H, W) from z (N, latent_dim) and labels or None."""
        if self.codes is not None:
            latent, embedding = self.codes(latent, embedding)
        x = self.linear(latent).unflatten(1, (-1, BOTTOM, BOTTOM))
        return self.through_blocks(x, [embedding] * len(self.blocks))

    def convolve(self, features: Tensor) -> Tensor:
        """Return the colours (N, 3, H, W), before tanh."""
        return self.output_conv(features)
