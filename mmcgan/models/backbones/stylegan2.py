"""The StyleGAN2 discriminator backbone (Karras et al., 2020, Sec. 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.layers.equalized import EqualizedConv2d, EqualizedLinear
from mmcgan.models.layers.minibatch_std import MinibatchStd
from mmcgan.models.layers.precision import full_precision
from mmcgan.models.layers.resample import BINOMIAL, FIRFilter
from mmcgan.models.layers.synthesis_block import HALF, SynthesisOptions
from mmcgan.models.style_table import BOTTOM_SIZE, check_architecture, resolve_channels
from mmcgan.option_groups import takes_options
from mmcgan.registry import BACKBONES


class StyleDownBlock(nn.Module):
    """Two 3x3 convolutions, the second of which halves the size; with a shortcut in ``resnet``.

    Args:
        in_channels, out_channels: channels.
        residual: add a filtered 1x1 shortcut.
        taps: of the low-pass filter.
        clamp: see :class:`~mmcgan.models.layers.equalized.EqualizedConv2d`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        residual: bool,
        taps: Sequence[float] = BINOMIAL,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.conv0 = EqualizedConv2d(in_channels, in_channels, 3, clamp=clamp)
        self.conv1 = EqualizedConv2d(in_channels, out_channels, 3, resize="halve", taps=taps, clamp=clamp)
        self.shortcut = (
            EqualizedConv2d(
                in_channels,
                out_channels,
                1,
                bias=False,
                rectified=False,
                resize="halve",
                taps=taps,
                clamp=clamp,
            )
            if residual
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H/2, W/2)."""
        if self.shortcut is None:
            return self.conv1(self.conv0(x))
        return self.shortcut(x, HALF) + self.conv1(self.conv0(x), HALF)


@BACKBONES.register_module()
class StyleGAN2Backbone(BlockBackbone):
    """Maps an image to a feature vector through down-sampling blocks and one full layer over 4x4.

    Made for heads with an equalised learning rate: ``init='equalized'`` of
    :class:`~mmcgan.models.discriminator.Discriminator`.

    Args:
        image_size: a power of two, at least 8.
        channel_base, max_channels, channels: see
            :class:`~mmcgan.models.generators.stylegan2.StyleGAN2Generator`.
        minibatch_group: group size of :class:`~mmcgan.models.layers.minibatch_std.MinibatchStd`; 0 for
            the whole batch.
        minibatch_channels: number of its maps; 0 for no such layer.
        synthesis: see :class:`~mmcgan.models.layers.synthesis_block.SynthesisOptions`.

    Attributes:
        out_channels: length of the feature vector.

    Raises:
        ValueError: unknown image size or architecture, or a number out of range.
    """

    image_shapes = ImageShapes("8, 16, 32, ... pixels", square=True)

    emits = ("pooled", "map")

    @takes_options
    def __init__(
        self,
        image_size: int,
        channel_base: int = 32768,
        max_channels: int = 512,
        *,
        minibatch_group: int = 4,
        minibatch_channels: int = 1,
        channels: Sequence[int] | None = None,
        synthesis: SynthesisOptions = SynthesisOptions(architecture="resnet"),
    ) -> None:
        super().__init__()
        taps, clamp = synthesis.taps, synthesis.clamp
        self.architecture = architecture = check_architecture(synthesis.architecture)
        widths = resolve_channels(image_size, channel_base, max_channels, channels)[::-1]
        self.image_size, self.out_channels = image_size, widths[-1]
        sizes = [image_size >> step for step in range(len(widths))]
        self.from_rgb, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        for size, width in list(zip(sizes, widths, strict=True))[: None if architecture == "skip" else 1]:
            self.from_rgb[str(size)] = EqualizedConv2d(3, width, 1, clamp=clamp)
        for size, (before, after) in zip(sizes, pairwise(widths), strict=False):
            self.blocks[str(size)] = StyleDownBlock(
                before, after, residual=architecture == "resnet", taps=taps, clamp=clamp
            )
        self.reduce = FIRFilter(taps) if architecture == "skip" else None
        self.minibatch_std = (
            MinibatchStd(minibatch_group, minibatch_channels) if minibatch_channels else nn.Identity()
        )
        self.last_conv = EqualizedConv2d(widths[-1] + minibatch_channels, widths[-1], 3, clamp=clamp)
        self.last_linear = EqualizedLinear(widths[-1] * BOTTOM_SIZE**2, widths[-1], rectified=True)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``pooled`` (N, C) and ``map`` (N, C, 1, 1), the same vector.

        Raises:
            ValueError: another size of images; the last layer is not convolutional.
        """
        if image.shape[2:] != (self.image_size, self.image_size):
            raise ValueError(
                f"StyleGAN2Backbone has image_size={self.image_size}, got images {tuple(image.shape[2:])}"
            )
        x = self.from_rgb[str(self.image_size)](image)
        for block in self.blocks.values():
            x = block(x)
            if self.reduce is not None:
                with full_precision(image):
                    image = self.reduce.downsample(image)
                x = x + self.from_rgb[str(image.shape[-1])](image)
        x = self.last_conv(self.minibatch_std(x))
        pooled = self.last_linear(x.flatten(1))
        return {"pooled": pooled, "map": pooled[:, :, None, None]}
