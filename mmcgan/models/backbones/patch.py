"""Fully convolutional backbone over several scales (pix2pixHD's and SPADE's PatchGAN)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.label_maps import semantic_map
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.backbones.blocks import pooled_features
from mmcgan.models.layers import SpectralNormArg, conv2d, initialize
from mmcgan.models.layers.spade import LEAK
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.registry import BACKBONES
from mmcgan.structures import Condition
from mmcgan.suggestions import nearest

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
    "none": lambda channels: nn.Identity(),
}


class PatchLayer(nn.Module):
    """Convolution padded by half of its kernel, norm, leaky ReLU.

    h becomes ceil(h / stride) with an odd kernel; with an even one h // 2 + 1, or h + 1 with stride 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        norm: str,
        spectral_norm: SpectralNormArg,
        kernel_size: int,
    ) -> None:
        super().__init__()
        self.conv = conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            bias=norm == "none",
            spectral_norm=spectral_norm,
        )
        self.norm = NORMS[norm](out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, h, w) to (N, out, h', w')."""
        return F.leaky_relu(self.norm(self.conv(x)), LEAK)


@BACKBONES.register_module()
class PatchBackbone(BlockBackbone):
    """Image, beside its label map or alone -> maps of features at several scales.

    Every scale has layers of its own; the input of scale i + 1 is that of scale i after a 3x3 average
    pooling of stride 2. Emits ``map``, ``map_1``, ... (the last features of each scale), ``pooled``
    (the sum of ``map`` over space) and ``layer_<scale>_<index>`` (the output of every layer).

    Args:
        num_map_classes: classes of the label map that is seen beside the image (channels: map, then
            image, as in SPADE); 0 sees the image alone.
        base_channels: of the first layer, which has no norm; doubled by every further one.
        has_edges: whether instance edges are a further channel of the map.
        num_scales, num_layers: the last layer has stride 1, the others 2.
        max_channels: most channels of a layer.
        norm: ``instance``, ``batch`` or ``none`` behind all layers but the first.
        spectral_norm: for these layers.
        init: see :func:`mmcgan.models.layers.initialize`.
        kernel_size: of every convolution. With PatchGAN's 4 every layer adds a row and a column, so that the
            map is larger than the image over its strides: a map of 19 from 64 pixels has its positions 4
            pixels apart and starts outside the image, where a label map resized to 19 has them 3.4 apart.
            Losses that compare positions with a label map (:class:`OmniLoss`, ``label_map``) then ask for
            what is up to 6 pixels beside the place, which large images hide and small ones do not. With an
            odd kernel position i is centred on pixel i x stride, which is what the resized label map shows.

    Attributes:
        out_channels: of every ``map``.
        requires: fields of the condition that :meth:`forward` looks at.

    Raises:
        ValueError: a number below 1, or an unknown norm.
    """

    image_shapes = ImageShapes("any that leave a map behind its halvings")

    emits: tuple[str, ...] = ("pooled", "map")

    def __init__(
        self,
        num_map_classes: int,
        base_channels: int = 64,
        *,
        has_edges: bool = False,
        num_scales: int = 2,
        num_layers: int = 4,
        max_channels: int = 512,
        norm: str = "instance",
        spectral_norm: SpectralNormArg = CLASSIC_SPECTRAL,
        init: str = "xavier_0.02",
        kernel_size: int = 4,
    ) -> None:
        super().__init__()
        _check("kernel_size", kernel_size, 1)
        _check("num_scales", num_scales, 1)
        _check("num_layers", num_layers, 1)
        _check("num_map_classes", num_map_classes, 0)
        if norm not in NORMS:
            raise ValueError(f"PatchBackbone: no norm {norm!r}.{nearest(norm, list(NORMS))}")
        self.num_map_classes, self.has_edges = num_map_classes, has_edges and num_map_classes > 0
        self.requires = self._requires()
        channels = 3 + num_map_classes + self.has_edges
        widths = [channels, *(min(base_channels << index, max_channels) for index in range(num_layers))]
        self.out_channels = widths[-1]
        options = (norm, spectral_norm, kernel_size)
        self.blocks = nn.ModuleList(nn.ModuleList(_layers(widths, *options)) for _ in range(num_scales))
        self.emits = self._emits(num_scales, num_layers)
        initialize(self, init, zero_bias=True)

    def _requires(self) -> tuple[str, ...]:
        if not self.num_map_classes:
            return ()
        return ("label_map", "edge_map") if self.has_edges else ("label_map",)

    @staticmethod
    def _emits(num_scales: int, num_layers: int) -> tuple[str, ...]:
        maps = [map_name(scale) for scale in range(num_scales)]
        layers = [layer_name(scale, index) for scale in range(num_scales) for index in range(num_layers)]
        return ("pooled", *maps, *layers)

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a backbone of these settings emits."""
        return cls._emits(settings.get("num_scales", 2), settings.get("num_layers", 4))

    def forward(self, image: Tensor, condition: Condition | None = None) -> dict[str, Tensor]:
        """Return the maps of images (N, 3, H, W) in [-1, 1] by name.

        Raises:
            ValueError: no label map or edges although they are asked for, or ids out of range.
        """
        x = image
        if self.requires:
            semantics = semantic_map(condition or Condition(), self.num_map_classes, self.has_edges)
            x = torch.cat([semantics.to(image.dtype), image], dim=1)
        return self.features(x)

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """Return the maps of ``x`` (N, channels of the map + 3, H, W)."""
        found: dict[str, Tensor] = {}
        for scale, layers in enumerate(self.blocks):
            if scale:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            y = x
            for index, layer in enumerate(cast(nn.ModuleList, layers)):
                y = layer(y)
                found[layer_name(scale, index)] = y
            found[map_name(scale)] = y
        return found | pooled_features(found["map"], "sum")


def _layers(
    widths: list[int], norm: str, spectral_norm: SpectralNormArg, kernel_size: int
) -> list[PatchLayer]:
    layers = []
    for index, (before, after) in enumerate(pairwise(widths)):
        last = index == len(widths) - 2
        stride = 1 if last and index else 2
        outer = ("none", None) if index == 0 else (norm, spectral_norm)
        layers.append(PatchLayer(before, after, stride, *outer, kernel_size))
    return layers


def map_name(scale: int) -> str:
    """Return the name of the last features of a scale: ``map``, ``map_1``, ..."""
    return f"map_{scale}" if scale else "map"


def layer_name(scale: int, index: int) -> str:
    """Return the name of the output of layer ``index`` of ``scale``."""
    return f"layer_{scale}_{index}"


def _check(name: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"PatchBackbone: {name} must be at least {least}, got {value}")
