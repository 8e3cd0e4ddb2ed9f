"""A frozen network inside a trained one: it computes, but it is neither trained nor stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.models.backbones.feature_cache import FeatureCache
from mmcgan.models.layers.precision import widen_strided_filters
from mmcgan.precision import autocast
from mmcgan.registry import EXTRACTORS


@dataclass(frozen=True, kw_only=True)
class FrozenOptions:
    """How a frozen network sees images.

    Attributes:
        input_size: side at which the frozen network sees the images; None for the extractor's own.
        resize: a key of ``mmcgan.extractors.RESIZE_RULES``; None for the extractor's own.
        weights_sha256: the extractor's ``weights_hash`` or its beginning; refuses other weights. Empty for no
            check.
        cache_megabytes: memory for the frozen maps of real images, each of which is then computed twice and
            never again; for sets that fit, and **without** augmentation or flips, which make new images of
            them. The bias is the price: a discriminator that sees every real image in one form learns it by
            heart, on small sets soon. Maps that are taken from an earlier batch may differ from new ones in
            the last place, so that a resumed run, whose cache is empty, equals an unbroken one to rounding
            only.
    """

    input_size: int | None = None
    resize: str | None = None
    weights_sha256: str = ""
    cache_megabytes: float = 0


class FrozenFeatures(nn.Module):
    """The maps of an extractor, with gradients with respect to the images.

    The extractor is no submodule: no optimiser sees its parameters, no checkpoint holds them, no averaging
    touches them; it moves with the module to another device or number format. The hash of its weights is a
    buffer, so that a checkpoint knows what it was trained with.

    Args:
        extractor: config of the network.
        image_size: side of the images.
        input_size: side at which it sees them; None for its own.
        resize: name of the rule of resizing; None for its own.
        weights_sha256: what the hash of its weights must begin with.
        cache_megabytes: memory for maps of images that come again in training, see :class:`FeatureCache`.

    Attributes:
        name: of the extractor.
        input_size: as it is used.
        shapes: (channels, side) of its maps by stride, the finest first, of the strides that the input holds.
        coarsest_stride: of all its maps.

    Raises:
        ValueError: an extractor without maps, other weights, or images smaller than its stride.
    """

    fingerprint: Tensor

    def __init__(
        self,
        extractor: Mapping[str, Any],
        image_size: int,
        input_size: int | None = None,
        resize: str | None = None,
        weights_sha256: str = "",
        cache_megabytes: float = 0,
    ) -> None:
        super().__init__()
        if cache_megabytes < 0:
            raise ValueError(
                f"ProjectedBackbone: cache_megabytes must not be negative, got {cache_megabytes}"
            )
        self.cache = FeatureCache(cache_megabytes) if cache_megabytes else None
        # the weights come from a file: also where only the shapes of a model are asked for
        with torch.device("cpu"):
            network: Any = EXTRACTORS.build(dict(extractor))
            widen_strided_filters(network)
            self.own_precision = "precision" in extractor
            self.name = network.name
            own_size = network.preprocessing.image_size
            self.resize, self.input_size = resize, own_size if input_size is None else input_size
            if self.input_size < 1 or image_size < 1:
                raise ValueError(
                    f"ProjectedBackbone: sizes must be at least 1, got {image_size}, {input_size}"
                )
            found = _checked_hash(network, weights_sha256)
            # a tuple: nn.Module would adopt a plain attribute
            self.holder = (network,)
            shapes = self._measure(image_size, own_size)
        self.coarsest_stride = max(shapes)
        shapes = {stride: each for stride, each in shapes.items() if stride <= self.input_size}
        self.shapes = {stride: shape for stride, (shape, _) in shapes.items()}
        self._places = {stride: place for stride, (_, place) in shapes.items()}
        self.register_buffer("fingerprint", torch.tensor(list(bytes.fromhex(found)), dtype=torch.uint8))

    @property
    def network(self) -> Any:
        """The extractor."""
        return self.holder[0]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FrozenFeatures:
        if not self.fingerprint.is_meta:
            self.network._apply(fn)
        if self.cache is not None:
            self.cache.clear()
        return super()._apply(fn, recurse)

    @torch.no_grad()
    def _measure(self, image_size: int, own_size: int) -> dict[int, tuple[tuple[int, int], int]]:
        """Return (channels, side) and place of the maps by stride, by trying one black image.

        Strides are those at the network's own size: on a few pixels padding makes a map of one position look
        finer than it is. Of several maps of one stride the last counts.
        """
        image = torch.full((1, 3, image_size, image_size), -1.0)
        maps = self._tried(image, self.input_size)
        large = maps if own_size <= self.input_size else self._tried(image, own_size)
        strides = [round(max(own_size, self.input_size) / x.shape[-1]) for x in large]
        places = {stride: (x, place) for place, (stride, x) in enumerate(zip(strides, maps, strict=True))}
        return {stride: ((x.shape[1], x.shape[-1]), place) for stride, (x, place) in sorted(places.items())}

    def _tried(self, image: Tensor, size: int) -> list[Tensor]:
        """Return the maps of an image that the network sees at a size, or say why there are none."""
        try:
            maps = self._maps(image, size)
        except NotImplementedError as error:
            raise ValueError(
                f"ProjectedBackbone: {self.name} ({type(self.network).__name__}) has no maps (feature_maps); "
                "take TimmExtractor, EfficientNetLite0, SmallClassifier or SelfSupervisedExtractor"
            ) from error
        except RuntimeError as error:
            raise ValueError(
                f"ProjectedBackbone: {self.name} cannot look at {size} pixels ({_short(error)}); "
                "give a larger input_size"
            ) from error
        square = [x for x in maps if x.ndim == 4 and x.shape[-1] == x.shape[-2] >= 1]
        if len(square) != len(maps) or not maps:
            shapes = [tuple(x.shape) for x in maps]
            raise ValueError(f"ProjectedBackbone: {self.name} gives no square maps (N, C, h, h): {shapes}")
        return maps

    def forward(self, image: Tensor) -> dict[int, Tensor]:
        """Return the maps by stride of images (N, 3, H, W) in [-1, 1]."""
        maps = self._maps(image) if self.cache is None else self._cached(image, self.cache)
        return {stride: maps[place] for stride, place in self._places.items()}

    def _cached(self, image: Tensor, cache: FeatureCache) -> list[Tensor]:
        if not self.training or image.requires_grad:
            return self._maps(image)
        keys = cache.keys(image)
        found = cache.find(keys)
        if found is None:
            found = self._maps(image)
            cache.keep(keys, found)
        return found

    def _maps(self, image: Tensor, size: int | None = None) -> list[Tensor]:
        seen = self.input_size if size is None else size
        pixels = self.network.preprocessing.differentiable(image, seen, self.resize)
        with self._precision(image.device):
            return self.network.feature_maps(pixels.contiguous(memory_format=torch.channels_last))

    def _precision(self, device: torch.device) -> AbstractContextManager[None]:
        return autocast(self.network.precision, device) if self.own_precision else nullcontext()

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        """Refuse a checkpoint that was trained with other weights."""
        stored = state_dict.get(f"{prefix}fingerprint")
        if stored is not None and not self.fingerprint.is_meta:
            theirs, own = (bytes(x.cpu().tolist()).hex() for x in (stored, self.fingerprint))
            if theirs != own:
                raise ValueError(
                    f"{prefix}fingerprint: the checkpoint was trained with a frozen network whose weights "
                    f"have the SHA-256 {theirs}, but those of {self.name!r} have {own}; give the extractor "
                    "the file that it was trained with"
                )
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def extra_repr(self) -> str:
        """Return name, input and strides, for printing the network."""
        return f"{self.name}, input_size={self.input_size}, strides={list(self.shapes)}"


def _checked_hash(network: Any, expected: str) -> str:
    found = str(network.weights_hash)
    if not found.startswith(expected.lower()):
        raise ValueError(
            f"ProjectedBackbone: the weights of {network.name!r} have the SHA-256 {found}, expected "
            f"weights_sha256={expected!r}: another file, or a damaged one"
        )
    return found


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
