"""The generator of FastGAN (Liu et al. 2021) in the forms that Projected GAN (Sauer et al. 2021) uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.output import PlainGenerator, implicit_output
from mmcgan.models.layers import (
    ConditionalBatchNorm,
    PlainBatchNorm,
    SpectralNormArg,
    conv2d,
    initialize,
)
from mmcgan.models.layers.blocks import NormFactory
from mmcgan.models.layers.gated_blocks import (
    BOTTOM_SIZE,
    GatedUpBlock,
    LatentStart,
    NoiseInjection,
    SkipExcitation,
)
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.models.options import LabelledConditionOptions, WeightOptions
from mmcgan.option_groups import takes_options
from mmcgan.registry import GENERATORS

#: Width of the map of every size in units of ``base_channels``.
WIDTHS = {4: 16.0, 8: 8.0, 16: 4.0, 32: 2.0, 64: 2.0, 128: 1.0, 256: 0.5, 512: 0.25, 1024: 0.125}
#: Keeps the length of z finite (Projected GAN's networks).
LATENT_EPS = 1e-8


@GENERATORS.register_module()
class FastGANGenerator(PlainGenerator):
    """z -> a 4x4 map -> gated blocks that double it, the large maps scaled by gates read off the small ones.

    z is divided by its root mean square. A condition reaches the batch norms of all blocks but the first. The
    colours come from a 3x3 convolution without tanh, so that images may leave [-1, 1] a little until they
    are sampled.

    The published sizes are 256 to 1024 pixels; smaller images take a smaller ``excitation_factor`` (4 at 16
    and 32 pixels), or have no excitation.

    Args:
        image_size: 8, 16, 32, ... 1024.
        num_classes: number of labels, 0 for none.
        base_channels: unit of the widths; 128 as published.
        latent_dim: length of z.
        light: one convolution a block and no noise (FastGAN lite).
        channels: width of the maps of 4, 8, ... ``image_size``, in place of the table.
        excitation_factor: how much larger the scaled map is than the one that its gates are read off.
        shared_noise: one weight for both injections of noise in a block; None for the published forms: one if
            there is a condition, two otherwise.
        eval_noise: noise in evaluation, see :class:`~mmcgan.models.layers.gated_blocks.NoiseInjection`;
            Projected GAN has ``random``.
        implicit: options of :class:`~mmcgan.models.layers.implicit_output.ImplicitOutput`, which then
            replaces the last convolution and makes images of any size; None for that convolution.
        condition: see :class:`~mmcgan.models.options.LabelledConditionOptions`; a ``label_dim`` of 0 means
            ``latent_dim``.
        weights: see :class:`~mmcgan.models.options.WeightOptions`.

    Raises:
        ValueError: an image size without widths, a list of another length, or a number out of range.
    """

    image_shapes = ImageShapes("8, 16, ... 1024 pixels", square=True)
    draws_with, draws_nothing_with = "eval_noise='random'", "eval_noise=const, or none"

    @takes_options
    def __init__(
        self,
        image_size: int,
        num_classes: int = 0,
        base_channels: int = 128,
        latent_dim: int = 256,
        *,
        light: bool = False,
        channels: Sequence[int] | None = None,
        excitation_factor: int = 16,
        shared_noise: bool | None = None,
        eval_noise: str = "const",
        implicit: Mapping[str, Any] | None = None,
        condition: LabelledConditionOptions = LabelledConditionOptions(num_attributes=0),
        weights: WeightOptions = WeightOptions(spectral_norm=CLASSIC_SPECTRAL, init="default"),
    ) -> None:
        super().__init__()
        _check_latent_dim(latent_dim)
        widths, norms = stage_widths(image_size, base_channels, channels), weights.spectral_norm
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim
        self.reach = _doublings(excitation_factor)
        self.condition = condition.embedding(num_classes, condition.label_dim or latent_dim, norms)
        self.requires = tuple(self.condition.requires)
        block = partial(
            GatedUpBlock,
            norm=self._norm_factory(norms),
            light=light,
            shared_noise=self.condition.dim > 0 if shared_noise is None else shared_noise,
            eval_noise=eval_noise,
            spectral_norm=norms,
        )
        ups = (
            block(before, after, BOTTOM_SIZE << step, number=2 * step)
            for step, (before, after) in enumerate(pairwise(widths), start=1)
        )
        self.blocks = nn.ModuleList([LatentStart(latent_dim, widths[0], norms), *ups])
        # a map that was scaled itself scales no other: with the published 16, none of 1024
        scaled = range(self.reach, min(2 * self.reach, len(widths)))
        self.excitations = nn.ModuleDict(
            {str(i): SkipExcitation(widths[i - self.reach], widths[i], norms) for i in scaled}
        )
        if implicit is None:
            self.output_conv = conv2d(widths[-1], 3, 3, padding=1, spectral_norm=norms)
        initialize(self, weights.init)
        self.implicit = implicit_output(widths[-1], implicit, norms)

    def _norm_factory(self, spectral_norm: SpectralNormArg) -> NormFactory:
        """Return what makes the batch norm of a block from its number of channels."""
        if not self.condition.dim:
            return PlainBatchNorm
        options: dict[str, Any] = dict(
            condition_dim=self.condition.dim, spectral_norm=spectral_norm, biased_maps=True
        )
        return partial(ConditionalBatchNorm, **options)

    @property
    def draws_inside(self) -> bool:
        """Whether noise is drawn anew for every image in evaluation."""
        found = [part for part in self.modules() if isinstance(part, NoiseInjection)]
        return any(part.eval_noise == "random" for part in found)

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the output of the last block (N, C, H, W).

        Raises:
            ValueError: the latent has another length.
        """
        if latent.shape[1] != self.latent_dim:
            raise ValueError(f"latent has length {latent.shape[1]}, the generator expects {self.latent_dim}")
        start, *ups = self.blocks
        maps = [start(unit_second_moment(latent))]
        for step, block in enumerate(ups, start=1):
            x = block(maps[-1], embedding)
            if str(step) in self.excitations:
                x = self.excitations[str(step)](maps[step - self.reach], x)
            maps.append(x)
        return maps[-1]


def unit_second_moment(latent: Tensor) -> Tensor:
    """Return z (N, D) divided by the root of the mean of its squares."""
    return latent * (latent.square().mean(1, keepdim=True) + LATENT_EPS).rsqrt()


def stage_widths(image_size: int, base_channels: int, channels: Sequence[int] | None) -> list[int]:
    """Return the width of the maps of 4, 8, ... ``image_size``.

    Raises:
        ValueError: no such image size, or a list of another length, or a width below 1.
    """
    sizes = [size for size in WIDTHS if size <= image_size]
    if image_size not in WIDTHS or image_size == BOTTOM_SIZE:
        known = [size for size in WIDTHS if size > BOTTOM_SIZE]
        raise ValueError(f"FastGANGenerator: image_size must be one of {known}, got {image_size}")
    widths = list(channels) if channels is not None else [int(WIDTHS[s] * base_channels) for s in sizes]
    if len(widths) != len(sizes):
        raise ValueError(
            f"FastGANGenerator: channels has {len(widths)} entries, but there are maps of {sizes} pixels"
        )
    if min(widths) < 1:
        raise ValueError(
            f"FastGANGenerator: widths must be at least 1, got {widths} (base_channels={base_channels})"
        )
    return widths


def _doublings(factor: int) -> int:
    """Return how many doublings ``factor`` is.

    Raises:
        ValueError: it is no power of two, or 1.
    """
    if factor < 2 or factor & (factor - 1):
        raise ValueError(f"FastGANGenerator: excitation_factor must be 2, 4, 8, 16, ..., got {factor}")
    return factor.bit_length() - 1


def _check_latent_dim(latent_dim: int) -> None:
    if latent_dim < 1:
        raise ValueError(f"FastGANGenerator: latent_dim must be at least 1, got {latent_dim}")
