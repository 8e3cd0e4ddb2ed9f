"""The blocks of StyleGAN2's synthesis network (StyleGAN2, Fig. 2 and 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from mmcgan.models.layers.equalized import EqualizedConv2d
from mmcgan.models.layers.modulation import StyledConv, ToRGB
from mmcgan.models.layers.precision import full_precision
from mmcgan.models.layers.resample import BINOMIAL, FIRFilter

#: Keeps the variance of a sum of two branches.
HALF = 0.5**0.5


@dataclass(frozen=True, kw_only=True)
class SynthesisOptions:
    """How the layers of StyleGAN2's networks are made.

    Attributes:
        architecture: of a generator: ``skip`` sums up images of all sizes, ``resnet`` has residual blocks,
            ``orig`` neither. Of a backbone: ``resnet`` has residual blocks, ``skip`` feeds the image in at
            every size, ``orig`` neither.
        taps: of the low-pass filter.
        clamp: limit of the features (256 in StyleGAN2-ADA with float16), or None; see
            :class:`~mmcgan.models.layers.equalized.EqualizedConv2d`.
    """

    architecture: str = "skip"
    taps: Sequence[float] = BINOMIAL
    clamp: float | None = None


class SynthesisBlock(nn.Module):
    """All layers at one size: one styled convolution at the bottom, two and a doubling elsewhere.

    Args:
        in_channels: channels of the block below; 0 at the bottom.
        out_channels: channels.
        style_dim: length of w.
        size: height and width of the output.
        options: of the layers.
        last: whether this is the largest size, which every architecture turns into an image.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_dim: int,
        size: int,
        options: SynthesisOptions,
        *,
        last: bool = False,
    ) -> None:
        super().__init__()
        grows, architecture, taps, clamp = in_channels > 0, options.architecture, options.taps, options.clamp
        self.conv0 = (
            StyledConv(in_channels, out_channels, style_dim, size, doubles=True, taps=taps, clamp=clamp)
            if grows
            else None
        )
        self.conv1 = StyledConv(out_channels, out_channels, style_dim, size, clamp=clamp)
        shows = last or architecture == "skip"
        self.to_rgb = ToRGB(out_channels, style_dim, clamp=clamp) if shows else None
        self.enlarge = FIRFilter(taps) if grows and architecture == "skip" else None
        self.shortcut = (
            EqualizedConv2d(
                in_channels, out_channels, 1, bias=False, rectified=False, resize="double", taps=taps
            )
            if grows and architecture == "resnet"
            else None
        )

    @property
    def layers(self) -> list[StyledConv]:
        """The styled convolutions, in order."""
        return [layer for layer in (self.conv0, self.conv1) if layer is not None]

    def forward(
        self, x: Tensor, image: Tensor | None, styles: Sequence[Tensor], noises: Iterator[Tensor | None]
    ) -> tuple[Tensor, Tensor | None]:
        """Return features (N, out, size, size) and the image so far (N, 3, size, size), if there is one.

        Args:
            x: features of the block below.
            image: image of the block below.
            styles: w (N, style_dim) of every styled convolution, then of the image.
            noises: yields the noise of every styled convolution.
        """
        gain = 1.0 if self.shortcut is None else HALF
        below = x
        for layer, w in zip(self.layers, styles, strict=False):
            x = layer(x, w, next(noises), gain if layer is self.conv1 else 1.0)
        if self.shortcut is not None:
            x = self.shortcut(below, HALF) + x
        if image is not None and self.enlarge is not None:
            with full_precision(image):
                image = self.enlarge.upsample(image)
        if self.to_rgb is not None:
            shown = self.to_rgb(x, styles[len(self.layers)])
            image = shown if image is None else image + shown
        return x, image
