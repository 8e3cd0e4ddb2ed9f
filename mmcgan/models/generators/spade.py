"""Generator of semantic image synthesis (Park et al., SPADE, 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.dtypes import at_least_float32
from mmcgan.image_shapes import ImageShapes
from mmcgan.label_maps import semantic_map
from mmcgan.models.encoder import LAW, encoder_of, sample_law
from mmcgan.models.generators.base import FirstMap, Generator, Stages
from mmcgan.models.layers import conv2d, initialize, linear
from mmcgan.models.layers.spade import LEAK, SPADE, SPADEBlock, SPADEOptions
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL, evaluated_weight
from mmcgan.models.options import WeightOptions
from mmcgan.option_groups import takes_options
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition, height_and_width
from mmcgan.suggestions import nearest

#: Input channels of every block, and the last output, in units of half ``base_channels``.
CHANNELS = (32, 32, 32, 32, 16, 8, 4, 2, 1)
#: Whether features are doubled in size in front of each block, by the name of the depth.
UPSAMPLING: dict[str, tuple[bool, ...]] = {
    "normal": (False, True, False, True, True, True, True),
    "more": (False, True, True, True, True, True, True),
    "most": (False, True, True, True, True, True, True, True),
}


@GENERATORS.register_module()
class SPADEGenerator(Generator):
    """Label map (and z) -> residual SPADE blocks that grow the image -> RGB.

    Every normalisation sees the label map. Without a latent the network starts from the map itself,
    resized and convolved; with one, from a linear map of z, which an encoder may draw from a real
    image in training.

    Args:
        image_size: side, or (height, width), of the images; a multiple of 32, 64 or 128 by ``upsampling``.
        num_map_classes: classes of the label map, "don't care" included.
        base_channels: channels of the last block (half of that with ``most``); the first has 16 times as
            many.
        latent_dim: length of z; 0 for none.
        has_edges: whether instance edges are a further channel of the map.
        upsampling: ``normal`` (32 times), ``more`` (64) or ``most`` (128).
        encoder: options of :class:`~mmcgan.models.encoder.SPADEEncoder`; None for no encoder.
        channels: of the first features and behind every block, instead of those by ``base_channels``.
        modulation: see :class:`~mmcgan.models.layers.spade.SPADEOptions`.
        weights: see :class:`~mmcgan.models.options.WeightOptions`; the spectral norm, torch's classic one as
            in the authors' code, is of the blocks' convolutions.

    Attributes:
        num_classes: 0: images have no label as a whole.

    Raises:
        ValueError: an image size that does not fit, no class, an encoder without latent, or another number
            of ``channels``.
    """

    image_shapes = ImageShapes("multiples of 32, of 64 or 128 by `upsampling`")

    num_classes = 0

    @takes_options
    def __init__(
        self,
        image_size: int | Sequence[int],
        num_map_classes: int,
        base_channels: int = 64,
        latent_dim: int = 0,
        *,
        has_edges: bool = False,
        upsampling: str = "normal",
        encoder: Mapping[str, Any] | None = None,
        channels: Sequence[int] | None = None,
        modulation: SPADEOptions = SPADEOptions(),
        weights: WeightOptions = WeightOptions(spectral_norm=CLASSIC_SPECTRAL, init="xavier_0.02"),
    ) -> None:
        super().__init__()
        if num_map_classes < 1:
            raise ValueError(f"SPADEGenerator: num_map_classes must be at least 1, got {num_map_classes}")
        self.image_size, self.latent_dim = image_size, latent_dim
        self.num_map_classes, self.has_edges = num_map_classes, has_edges
        self.requires = ("label_map", "edge_map") if has_edges else ("label_map",)
        self.bottom, self.doubled = bottom_size(image_size, upsampling)
        map_channels = num_map_classes + has_edges
        layer = partial(SPADE, map_channels=map_channels, **vars(modulation))
        widths = block_widths(len(self.doubled), base_channels, channels)
        self.stem = self._stem(map_channels, widths[0])
        self.blocks = nn.ModuleList(
            SPADEBlock(before, after, layer, weights.spectral_norm) for before, after in pairwise(widths)
        )
        self.output_conv = conv2d(widths[-1], 3, 3, padding=1)
        self.encoder = encoder_of(latent_dim, encoder)
        self.emits = () if self.encoder is None else LAW
        initialize(self, weights.init, zero_bias=True)

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the law of the latents, of settings with an encoder."""
        return () if settings.get("encoder") is None else LAW

    def _stem(self, map_channels: int, width: int) -> nn.Module:
        if not self.latent_dim:
            return conv2d(map_channels, width, 3, padding=1)
        return linear(self.latent_dim, width * self.bottom[0] * self.bottom[1])

    def embed(self, condition: Condition) -> Tensor:
        """Return the semantic map, float (N, num_map_classes [+ 1 for edges], H, W).

        Raises:
            ValueError: no label map or edges, or ids out of range.
        """
        found = semantic_map(condition, self.num_map_classes, self.has_edges)
        return found.to(next(self.parameters()).dtype)

    def synthesize(self, latent: Tensor, embedding: Tensor) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1] of z (N, latent_dim) and a semantic map (N, K, ., .)."""
        if self.latent_dim:
            x = self.stem(latent).unflatten(1, (-1, *self.bottom))
        else:
            x = self.stem(F.interpolate(embedding, size=self.bottom))
        for doubled, block in zip(self.doubled, self.blocks, strict=True):
            x = block(F.interpolate(x, scale_factor=2) if doubled else x, embedding)
        return torch.tanh(at_least_float32(self.output_conv(F.leaky_relu(x, LEAK))))

    def encode(self, image: Tensor, noise: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the latents (N, latent_dim) of real images, and their ``mean`` and ``log_variance``.

        Args:
            image: (N, 3, H, W) in [-1, 1].
            noise: standard normal, (N, latent_dim).
        """
        assert self.encoder is not None
        mean, log_variance = (at_least_float32(value) for value in self.encoder(image))
        return sample_law(mean, log_variance, noise), {"mean": mean, "log_variance": log_variance}

    def first_map(self) -> FirstMap:
        """Return the map of z to the first features.

        Raises:
            ValueError: there is no latent.
        """
        if not self.latent_dim:
            raise ValueError("SeFa: this SPADEGenerator has no latent (latent_dim=0)")
        return FirstMap(evaluated_weight(self.stem))

    def stages(self) -> Stages:
        """Return the blocks and the last convolution; the encoder takes no part in an image."""
        encoder = [] if self.encoder is None else [self.encoder]
        return Stages([[block] for block in self.blocks], [self.output_conv, *encoder])


def block_widths(blocks: int, base_channels: int, channels: Sequence[int] | None) -> list[int]:
    """Return the channels of the first features and behind each of ``blocks`` blocks.

    Raises:
        ValueError: ``channels`` are given, but not one more than blocks, or not positive.
    """
    if channels is None:
        return [max(1, units * base_channels // 2) for units in CHANNELS[: blocks + 1]]
    if len(channels) != blocks + 1 or min(channels) < 1:
        raise ValueError(
            f"SPADEGenerator: channels must be {blocks + 1} positive numbers, one for the first features and "
            f"one behind each of {blocks} blocks; got {tuple(channels)}"
        )
    return list(channels)


def bottom_size(image_size: int | Sequence[int], upsampling: str) -> tuple[tuple[int, int], tuple[bool, ...]]:
    """Return height and width of the first features, and in front of which blocks they double.

    Raises:
        ValueError: unknown ``upsampling``, or sides that are no multiples of its factor.
    """
    if upsampling not in UPSAMPLING:
        raise ValueError(
            f"SPADEGenerator: no upsampling {upsampling!r}.{nearest(upsampling, list(UPSAMPLING))}"
        )
    doubled = UPSAMPLING[upsampling]
    factor = 1 << sum(doubled)
    height, width = height_and_width(image_size)
    if height < factor or width < factor or height % factor or width % factor:
        raise ValueError(
            f"SPADEGenerator: upsampling={upsampling!r} needs height and width that are multiples of "
            f"{factor}, got {height} x {width}"
        )
    return (height // factor, width // factor), doubled
