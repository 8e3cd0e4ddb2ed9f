"""Projected discriminators: small trainable networks on the maps of a frozen one (Sauer et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.backbones.blocks import pooled_features
from mmcgan.models.backbones.frozen import FrozenFeatures, FrozenOptions
from mmcgan.models.layers.projection_blocks import MixingOptions, ScaleDiscriminator, ScaleOptions
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.models.options import check_pooling
from mmcgan.option_groups import takes_options
from mmcgan.registry import BACKBONES

#: How many of the extractor's maps are taken if nothing is said, the coarsest ones.
DEFAULT_SCALES = 4


@BACKBONES.register_module()
class ProjectedBackbone(BlockBackbone):
    """Image -> maps of a frozen network -> random mixing -> one small trainable network for every scale.

    Emits ``pooled_i`` (N, ``out_channels``) and ``map_i`` (N, ``out_channels``, h, w) for every scale i, the
    finest first: :class:`~mmcgan.models.heads.EachScale` puts any head on each. ``pooled`` is the mean of all
    ``pooled_i``, ``map`` is ``map_0``: a head without a scale sees those.

    The frozen network is no part of the checkpoint: it is named in the config and known by the hash of its
    weights (``frozen.fingerprint``), and another one is refused when a checkpoint is loaded. The random
    mixing is in the checkpoint, since nothing else could make it again. In the discriminator's step no
    gradient passes through either, in the generator's it passes to the fakes alone.

    Args:
        image_size: side of the images.
        extractor: config of a frozen network with maps (:meth:`mmcgan.extractors.Extractor.feature_maps`). If
            it names a ``precision``, the network computes in it; otherwise in that of the training.
        strides: of the maps taken, the finest first; None takes the four coarsest (or all).
        end_size: side to which the networks reduce the maps, up to a factor of the square root of 2.
        down_blocks: how many blocks each of them has, in place of the number that leads to ``end_size``.
        frozen: see :class:`~mmcgan.models.backbones.frozen.FrozenOptions`.
        mixer: see :class:`~mmcgan.models.layers.projection_blocks.MixingOptions`.
        scale: see :class:`~mmcgan.models.layers.projection_blocks.ScaleOptions`.
        pooling: ``mean`` or ``sum`` over the positions of the last maps.

    Attributes:
        out_channels: of every ``map_i`` and ``pooled_i``.
        num_scales: how many there are.
        map_sides: positions a side of the maps it emits, by name.

    Raises:
        ValueError: a stride that the extractor does not have, images or maps that are too small, other
            weights, or a number out of range.
    """

    image_shapes = ImageShapes("any that its extractor can see", square=True)

    @takes_options
    def __init__(
        self,
        image_size: int,
        extractor: dict[str, Any],
        strides: Sequence[int] | None = None,
        *,
        end_size: int = 8,
        down_blocks: Sequence[int] | None = None,
        pooling: str = "mean",
        frozen: FrozenOptions = FrozenOptions(),
        mixer: MixingOptions = MixingOptions(),
        scale: ScaleOptions = ScaleOptions(spectral_norm=CLASSIC_SPECTRAL),
    ) -> None:
        super().__init__()
        check_pooling("ProjectedBackbone", pooling)
        self.image_size, self.out_channels, self.pooling = image_size, scale.max_channels, pooling
        self.frozen = FrozenFeatures(extractor, image_size, **vars(frozen))
        shapes = choose_maps(self.frozen, strides)
        self.strides = tuple(shapes)
        if mixer.mixing == "scales":
            _check_halving(self.frozen, shapes)
        self.needs_unchanged_images = self.frozen.cache is not None
        self.mixing = mixer.network([c for c, _ in shapes.values()])
        doubled = 2 if self.mixing.scales else 1
        sizes = {stride: doubled * size for stride, (_, size) in shapes.items()}
        counts = blocks_of(self.frozen.name, sizes, end_size, down_blocks)
        self.num_scales = len(counts)
        self.blocks = nn.ModuleList(
            ScaleDiscriminator(width, count, **vars(scale))
            for width, count in zip(self.mixing.out_channels, counts, strict=False)
        )
        self.emits = scale_names(self.num_scales)
        sides = [size >> count for size, count in zip(sizes.values(), counts, strict=False)]
        #: of the maps it emits, for heads whose kernels must fit
        self.map_sides = {"map": sides[0], **{f"map_{scale}": side for scale, side in enumerate(sides)}}

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return what a backbone of these settings emits; None where only the extractor knows."""
        chosen = settings.get("down_blocks") or settings.get("strides")
        return None if chosen is None else scale_names(len(chosen))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to the tensors named above."""
        mixed = self.mixing(self.maps(image))
        found: dict[str, Tensor] = {}
        for scale, (network, x) in enumerate(zip(self.blocks, mixed, strict=False)):
            named = pooled_features(network(x), self.pooling)
            found |= {f"{name}_{scale}": value for name, value in named.items()}
        pooled = torch.stack([found[f"pooled_{scale}"] for scale in range(self.num_scales)])
        return {"pooled": pooled.mean(0), "map": found["map_0"], **found}

    def maps(self, image: Tensor) -> list[Tensor]:
        """Return the frozen network's maps of images (N, 3, H, W) in [-1, 1], the finest first."""
        found = self.frozen(image)
        return [found[stride] for stride in self.strides]


def scale_names(number: int) -> tuple[str, ...]:
    """Return the names of the tensors of ``number`` scales."""
    scales = (name for scale in range(number) for name in (f"pooled_{scale}", f"map_{scale}"))
    return ("pooled", "map", *scales)


def choose_maps(frozen: FrozenFeatures, strides: Sequence[int] | None) -> dict[int, tuple[int, int]]:
    """Return (channels, size) of the maps taken, by stride.

    Raises:
        ValueError: a stride that there is not, strides out of order, or an input smaller than a stride.
    """
    known = frozen.shapes
    if strides is None and frozen.coarsest_stride > frozen.input_size:
        raise ValueError(
            f"ProjectedBackbone: {frozen.name} has a map of stride {frozen.coarsest_stride}, and an input of "
            f"{frozen.input_size} pixels is smaller than that: give an input_size of at least "
            f"{frozen.coarsest_stride}" + (f", or strides={list(known)}" if known else "")
        )
    if strides is None:
        return dict(list(known.items())[-DEFAULT_SCALES:])
    absent = [stride for stride in strides if stride not in known]
    if absent or not strides:
        raise ValueError(
            f"ProjectedBackbone: strides={list(strides)}: {frozen.name} has maps of the strides {list(known)}"
            f" at an input of {frozen.input_size} pixels"
        )
    if list(strides) != sorted(set(strides)):
        raise ValueError(f"ProjectedBackbone: strides must rise, the finest map first; got {list(strides)}")
    return {stride: known[stride] for stride in strides}


def _check_halving(frozen: FrozenFeatures, shapes: Mapping[int, tuple[int, int]]) -> None:
    sizes = [size for _, size in shapes.values()]
    if any(fine != 2 * coarse for fine, coarse in pairwise(sizes)):
        raise ValueError(
            f"ProjectedBackbone: mixing='scales' needs maps that halve from one to the next, but those of "
            f"{frozen.name} at an input of {frozen.input_size} pixels have the sides {sizes}; choose "
            "other strides, an input_size that they divide, or mixing='channels'"
        )


def blocks_of(name: str, sizes: Mapping[int, int], end_size: int, given: Sequence[int] | None) -> list[int]:
    """Return how many blocks every scale has.

    Args:
        name: of the frozen network, for messages.
        sizes: side of the projected map by stride.
        end_size: wanted side behind the blocks.
        given: the numbers themselves, or None.

    Raises:
        ValueError: a map too small for its blocks, or another number of entries than scales.
    """
    if end_size < 1:
        raise ValueError(f"ProjectedBackbone: end_size must be at least 1, got {end_size}")
    if given is None:
        counts = [round(math.log2(size / end_size)) for size in sizes.values()]
        small = [(stride, size) for (stride, size), n in zip(sizes.items(), counts, strict=True) if n < 1]
        if small:
            raise ValueError(
                f"ProjectedBackbone: the map of stride {small[0][0]} of {name} is {small[0][1]} pixels wide, "
                f"too small to be reduced to end_size={end_size}; leave that stride out of "
                f"strides={list(sizes)}, or choose a smaller end_size or a larger input_size"
            )
        return counts
    if not 1 <= len(given) <= len(sizes):
        raise ValueError(
            f"ProjectedBackbone: down_blocks has {len(given)} entries for the strides {list(sizes)}"
        )
    for (stride, size), count in zip(sizes.items(), given, strict=False):
        if count < 1 or size >> count < 1:
            raise ValueError(
                f"ProjectedBackbone: down_blocks asks for {count} halvings of the map of stride {stride}, "
                f"which is {size} pixels wide; between 1 and {size.bit_length() - 1} are possible"
            )
    return list(given)
