"""Convolutional discriminator backbone of DCGAN, in StudioGAN's form."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.backbones.blocks import pooled_features, through_blocks
from mmcgan.models.generators.dcgan import number_of_doublings
from mmcgan.models.layers import SpectralNormArg, activation, conv2d, initialize
from mmcgan.models.options import AttentionOptions, PooledLayerOptions
from mmcgan.option_groups import takes_options
from mmcgan.registry import BACKBONES

#: Makes the normalisation of a number of channels.
NormFactory = Callable[[int], nn.Module]


class ConvPair(nn.Module):
    """3x3 convolution, then 4x4 with stride 2, each with optional batch norm and an activation."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm: NormFactory,
        activation_name: str,
        spectral_norm: SpectralNormArg,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, out_channels, 3, padding=1, spectral_norm=spectral_norm)
        self.norm1 = norm(out_channels)
        self.conv2 = conv2d(out_channels, out_channels, 4, stride=2, padding=1, spectral_norm=spectral_norm)
        self.norm2 = norm(out_channels)
        self.activation = activation(activation_name)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H/2, W/2)."""
        x = self.activation(self.norm1(self.conv1(x)))
        return self.activation(self.norm2(self.conv2(x)))


@BACKBONES.register_module()
class DCGANBackbone(BlockBackbone):
    """RGB image -> convolution pairs that halve the size down to 4x4 -> 3x3 -> pooled features.

    The channels double with every halving, from ``base_channels``, and once more in the last
    convolution.

    Args:
        image_size: 4 times a power of two, at least 8.
        base_channels: channels of the first pair.
        attention: see :class:`~mmcgan.models.options.AttentionOptions`.
        layers: see :class:`~mmcgan.models.options.PooledLayerOptions`.

    Attributes:
        out_channels: length of the pooled vector.

    Raises:
        ValueError: unusable image size or pooling, or attention outside the network.
    """

    image_shapes = ImageShapes("8, 16, 32, ... pixels", square=True)

    emits = ("pooled", "map")

    @takes_options
    def __init__(
        self,
        image_size: int,
        base_channels: int = 64,
        *,
        attention: AttentionOptions = AttentionOptions(),
        layers: PooledLayerOptions = PooledLayerOptions(spectral_norm=True, init="normal"),
    ) -> None:
        super().__init__()
        layers.check("DCGANBackbone")
        halvings = number_of_doublings("DCGANBackbone", image_size)
        widths = [base_channels << index for index in range(halvings + 1)]
        self.image_size, self.out_channels, self.pooling = image_size, widths[-1], layers.pooling
        norm: NormFactory = layers.norm_factory() or nn.Identity
        norms = layers.spectral_norm
        self.blocks = nn.ModuleList(
            ConvPair(before, after, norm, layers.activation_name, norms)
            for before, after in zip([3, *widths], widths[:-1], strict=False)
        )
        sizes = [image_size >> (index + 1) for index in range(halvings)]
        self.attention = attention.layers(sizes, widths, norms)
        self.last_conv = conv2d(widths[-2], widths[-1], 3, padding=1, spectral_norm=norms)
        self.last_norm = norm(widths[-1])
        self.activation = activation(layers.activation_name)
        initialize(self, layers.init)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``map`` (N, C, 4, 4) and ``pooled`` (N, C)."""
        x = through_blocks(image, self.blocks, self.attention)
        return pooled_features(self.activation(self.last_norm(self.last_conv(x))), self.pooling)
