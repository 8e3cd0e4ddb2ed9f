"""The StyleGAN2 generator (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN")."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from mmcgan.distributed import draw_shared
from mmcgan.dtypes import at_least_float32
from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.base import STYLE, FirstMap, Generator, Stages
from mmcgan.models.layers.equalized import EqualizedLinear
from mmcgan.models.layers.synthesis_block import SynthesisBlock, SynthesisOptions
from mmcgan.models.mapping import MappingOptions
from mmcgan.models.random_source import RandomSource
from mmcgan.models.style_table import BOTTOM_SIZE, check_architecture, resolve_channels
from mmcgan.option_groups import takes_options
from mmcgan.random import make_generator
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

NOISES = ("random", "const", "none")
#: Latents of which the mean style is estimated where none was stored.
MEAN_SAMPLES = 4096

#: A noise mode, or one tensor broadcastable to (N, 1, size, size) for every layer.
Noise = str | Sequence[Tensor]


@dataclass(frozen=True, kw_only=True)
class StyleOptions:
    """How styles are mixed in training and truncated in sampling.

    Attributes:
        style_mixing: probability that, in training, the layers from a random one on take the style of
            a second latent.
        mean_decay: of the running mean of styles that truncation moves towards; None keeps none.
        truncation_cutoff: number of styles that truncation applies to; None for all.
    """

    style_mixing: float = 0.9
    mean_decay: float | None = 0.995
    truncation_cutoff: int | None = None


@GENERATORS.register_module()
class StyleGAN2Generator(Generator):
    """Maps (z, condition) to styles w, and styles to an image through modulated convolutions.

    The condition (label, instance feature, attributes, any of them or none) enters the mapping
    network only. The image is not squashed: values may leave [-1, 1], and are clamped when sampled.

    Args:
        image_size: a power of two, at least 8.
        num_classes: number of labels, 0 for none.
        channel_base: channels times size, up to ``max_channels`` (32768 in the paper's config F, 16384
            in StyleGAN2-ADA's and IC-GAN's at 256 pixels and below).
        max_channels: most channels at any size.
        latent_dim: length of z.
        style_dim: length of w.
        noise: ``random``, ``const`` or ``none`` in training.
        eval_noise: the same in evaluation; ``const`` adds the stored noise, which is reproducible.
        channels: channels at 4, 8, ... image_size, in place of the rule.
        mapping: see :class:`~mmcgan.models.mapping.MappingOptions`.
        synthesis: see :class:`~mmcgan.models.layers.synthesis_block.SynthesisOptions`.
        styles: see :class:`StyleOptions`.

    Attributes:
        num_ws: number of styles that an image takes.
        truncates_latent: False; truncation acts on styles (:meth:`forward_truncated`).
        truncation_centres: what it may move styles towards.
        truncation_centre: which it is: ``mean`` of all styles (StyleGAN2), or ``class``, the mean of the
            styles under the same condition.

    Raises:
        ValueError: unknown image size, architecture or noise, or a number out of range.
    """

    image_shapes = ImageShapes("8, 16, 32, ... pixels", square=True)

    truncates_latent = False
    has_truncation = True
    truncation_centres = ("mean", "class")
    draws_with, draws_nothing_with = "eval_noise='random'", "eval_noise=const, or none"
    mean_style: Tensor | None

    @takes_options
    def __init__(
        self,
        image_size: int,
        num_classes: int,
        channel_base: int = 32768,
        max_channels: int = 512,
        latent_dim: int = 512,
        style_dim: int = 512,
        *,
        noise: str = "random",
        eval_noise: str = "const",
        channels: Sequence[int] | None = None,
        mapping: MappingOptions = MappingOptions(),
        synthesis: SynthesisOptions = SynthesisOptions(),
        styles: StyleOptions = StyleOptions(),
    ) -> None:
        super().__init__()
        check_architecture(synthesis.architecture)
        _check_numbers(noise, eval_noise, styles.style_mixing, styles.mean_decay)
        widths = resolve_channels(image_size, channel_base, max_channels, channels)
        self.image_size, self.num_classes = image_size, num_classes
        self.latent_dim, self.style_dim = latent_dim, style_dim
        self.style_mixing, self.noise, self.eval_noise = styles.style_mixing, noise, eval_noise
        self.mean_decay, self.truncation_cutoff = styles.mean_decay, styles.truncation_cutoff
        self.truncation_centre = "mean"
        self.random_source = RandomSource()
        self.mapping = mapping.network(latent_dim, style_dim, num_classes)
        self.requires = tuple(self.mapping.requires)
        self.constant = nn.Parameter(torch.randn(widths[0], BOTTOM_SIZE, BOTTOM_SIZE))
        self.blocks = nn.ModuleDict()
        for step, (before, after) in enumerate(pairwise([0, *widths])):
            size = BOTTOM_SIZE << step
            self.blocks[str(size)] = SynthesisBlock(
                before, after, style_dim, size, synthesis, last=size == image_size
            )
        self.num_ws = sum(len(block.layers) for block in self._blocks()) + 1
        self.register_buffer("mean_style", None if styles.mean_decay is None else torch.zeros(style_dim))

    def _blocks(self) -> list[SynthesisBlock]:
        return list(self.blocks.values())  # type: ignore[arg-type]

    # --- from latents to styles ---------------------------------------------------------------

    def embed(self, condition: Condition) -> Tensor | None:
        """Return the normalised embedding of the condition (N, E), or None without one.

        Raises:
            ValueError: a field that the generator was built for is absent or out of range.
        """
        return self.mapping.embed(condition)

    def map(self, latent: Tensor, condition: Condition) -> Tensor:
        """Return styles (N, num_ws, style_dim) of z (N, latent_dim) under ``condition``.

        In training this moves the running mean and mixes styles.
        """
        return self._map(latent, self.embed(condition))

    def _map(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        w = self.mapping(latent, embedding)
        if self.training and self.mean_style is not None and self.mean_decay is not None:
            self.mean_style.lerp_(w.detach().mean(0).to(self.mean_style.dtype), 1 - self.mean_decay)
        styles = w[:, None].expand(-1, self.num_ws, -1)
        drawn = self.draw_mixing(latent) if self.training and self.style_mixing else None
        if drawn is None:
            return styles
        other, first = drawn
        return self.mix(styles, self.mapping(other, embedding), first)

    @property
    def draws_inside(self) -> bool:
        """Whether noise is drawn anew for every image in evaluation."""
        return self.eval_noise == "random"

    def draw_mixing(self, latent: Tensor) -> tuple[Tensor, int] | None:
        """Return latents to mix in and the first style they decide, or None (StyleGAN, Sec. 3.1).

        The latents are drawn from their law. One draw decides for the whole batch, on all ranks alike.
        """
        source = self.random_source.shared("style mixing")
        if float(torch.rand((), generator=source)) >= self.style_mixing:
            return None
        first = int(torch.randint(1, self.num_ws, (), generator=source))
        other = draw_shared(lambda n: self.draw_latents(n, source), len(latent))
        return other.to(latent, non_blocking=True), first

    @staticmethod
    def mix(styles: Tensor, other: Tensor, first: int) -> Tensor:
        """Return ``styles`` (N, num_ws, D) with those from index ``first`` on replaced by ``other``.

        Args:
            styles: of the coarse layers.
            other: (N, D) for all, or (N, num_ws, D).
            first: index of the first style replaced; ``num_ws`` or more replaces none.
        """
        other = other[:, None].expand_as(styles) if other.dim() == 2 else other
        return torch.cat([styles[:, :first], other[:, first:]], dim=1)

    # --- truncation ---------------------------------------------------------------------------

    def average_style(self) -> Tensor:
        """Return the mean style (style_dim,): the running mean, or one estimated without a condition.

        Raises:
            ValueError: no running mean is kept and the styles depend on a condition.
        """
        if self.mean_style is not None:
            return self.mean_style
        if self.mapping.parts:
            raise ValueError("truncation of a conditional StyleGAN2Generator needs mean_decay, got None")
        source = make_generator("mean style")
        latent = self.draw_latents(MEAN_SAMPLES, source).to(self.constant)
        with torch.no_grad():
            return self.mapping(latent, None).mean(0)

    def condition_centres(self, condition: Condition) -> Tensor:
        """Return the mean style under the condition of each image, (N, 1, style_dim)."""
        embedding = self.embed(condition)
        if embedding is None:
            return self.average_style().expand(1, 1, -1)
        source = make_generator("mean style")
        latent = self.draw_latents(MEAN_SAMPLES, source).to(self.constant)
        rows, place = embedding.unique(dim=0, return_inverse=True)
        with torch.no_grad():
            means = [self.mapping(latent, row.expand(MEAN_SAMPLES, -1)).mean(0) for row in rows]
        return torch.stack(means)[place][:, None]

    def truncate_styles(
        self, styles: Tensor, psi: float, cutoff: int | None = None, mean: Tensor | None = None
    ) -> Tensor:
        """Return styles moved towards their mean: mean + psi * (w - mean) (StyleGAN, App. B).

        Args:
            styles: (N, num_ws, style_dim).
            psi: 1 changes nothing, 0 gives the mean style.
            cutoff: number of styles from the coarsest on to move; None for ``truncation_cutoff``.
            mean: (style_dim,), (1, style_dim) or (N, 1, style_dim), in place of :meth:`average_style`.
        """
        cutoff = self.truncation_cutoff if cutoff is None else cutoff
        moved = torch.lerp((self.average_style() if mean is None else mean).to(styles), styles, psi)
        return moved if cutoff is None else torch.cat([moved[:, :cutoff], styles[:, cutoff:]], dim=1)

    # --- from styles to images ----------------------------------------------------------------

    def synthesize_styles(
        self, styles: Tensor, noise: Noise | None = None, tap: Callable[[int, Tensor], None] | None = None
    ) -> Tensor:
        """Return images (N, 3, H, W), float32, from styles (N, num_ws, style_dim).

        Args:
            styles: as :meth:`map` returns them.
            noise: ``random``, ``const``, ``none``, or a tensor for every layer, in place of the mode
                that the constructor named.
            tap: called with size and features (N, C, size, size) after every block.

        Raises:
            ValueError: another number of styles, an unknown mode, or another number of noises.
        """
        if styles.shape[1:] != (self.num_ws, self.style_dim):
            raise ValueError(
                f"styles have shape {tuple(styles.shape)}, expected (N, {self.num_ws}, {self.style_dim})"
            )
        noises = self._noises(self._mode() if noise is None else noise, styles.shape[0])
        x = self.constant.expand(styles.shape[0], -1, -1, -1)
        image, start = None, 0
        for block in self._blocks():
            chosen = styles[:, start : start + len(block.layers) + 1].unbind(1)
            x, image = block(x, image, chosen, noises)
            start += len(block.layers)
            if tap is not None:
                tap(x.shape[-1], x)
        assert image is not None
        return image

    def _mode(self) -> str:
        return self.noise if self.training else self.eval_noise

    def _noises(self, noise: Noise, count: int) -> Iterator[Tensor | None]:
        """Yield the noise of every layer, from the smallest size on."""
        layers = [layer for block in self._blocks() for layer in block.layers]
        if not isinstance(noise, str):
            if len(noise) != len(layers):
                raise ValueError(f"expected noise for {len(layers)} layers, got {len(noise)}")
            return iter(noise)
        if noise == "random":
            device = self.constant.device
            source = self.random_source.local("noise", device)
            if not self.training:  # the same call gives the same image
                source = make_generator("evaluation noise", device=device)
            shapes = ((count, 1, layer.size, layer.size) for layer in layers)
            return (torch.randn(shape, generator=source, device=device) for shape in shapes)
        _check_noise("noise", noise)
        return iter([layer.noise if noise == "const" else None for layer in layers])

    def synthesize(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return images (N, 3, H, W) from z (N, latent_dim) and :meth:`embed`'s result."""
        return self.synthesize_styles(self._map(latent, embedding))

    def forward_truncated(self, latent: Tensor, condition: Condition, truncation: float) -> Tensor:
        """Return images (N, 3, H, W) whose styles are moved towards their centre by psi = ``truncation``."""
        centre = self.condition_centres(condition) if self.truncation_centre == "class" else None
        styles = self.truncate_styles(self.map(latent, condition), truncation, mean=centre)
        return self.synthesize_styles(styles)

    # --- its structure ------------------------------------------------------------------------

    def first_map(self) -> FirstMap:
        """Return the weights by which all convolutions but those to colours read the style, stacked."""
        named = self.blocks.named_modules()
        maps = [module for name, module in named if name.endswith(".style") and "to_rgb" not in name]
        scaled = [
            m.weight * (m.lr_mult / math.sqrt(m.in_features)) for m in maps if isinstance(m, EqualizedLinear)
        ]
        return FirstMap(torch.cat(scaled).detach(), STYLE)

    def moved(self, latent: Tensor, condition: Condition, step: Tensor, space: str) -> Tensor:
        """Return images (N, 3, H, W) of one latent whose styles are moved by ``steps`` (N, style_dim)."""
        return self.synthesize_styles(self.map(latent, condition) + step[:, None])

    def enter(self, latent: Tensor, condition: Condition) -> tuple[Tensor, Tensor]:
        """Return images and the styles (N, num_ws, style_dim), with gradient, that they were made from."""
        style = self.map(latent, condition)
        if not style.requires_grad:
            style.requires_grad_()
        return at_least_float32(self.synthesize_styles(style)), style

    def stages(self) -> Stages:
        """Return the blocks; the mapping network is in front of them."""
        return Stages([[block] for block in self.blocks.values()])


def _check_noise(name: str, mode: str) -> None:
    if mode not in NOISES:
        raise ValueError(f"{name} must be one of {NOISES}, got {mode!r}")


def _check_numbers(noise: str, eval_noise: str, style_mixing: float, mean_decay: float | None) -> None:
    _check_noise("noise", noise)
    _check_noise("eval_noise", eval_noise)
    if not 0 <= style_mixing <= 1:
        raise ValueError(f"style_mixing is a probability in [0, 1], got {style_mixing}")
    if mean_decay is not None and not 0 <= mean_decay < 1:
        raise ValueError(f"mean_decay must be in [0, 1) or None, got {mean_decay}")
