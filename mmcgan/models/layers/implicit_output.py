"""An implicit output layer: colours as a function of continuous position (Omni-INR-GAN, Sec. 3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.dtypes import at_least_float32
from mmcgan.models.layers.factories import linear
from mmcgan.models.layers.spectral_norm import SpectralNormArg, applied_weight

#: Height and width, or top, left, height and width, in pixels.
Size = tuple[int, int]
Window = tuple[int, int, int, int]

CELLS = ("native", "relative", "none")
POINTS = 90_000
#: Above this an image alone takes 3 GB: rendered in windows instead.
LARGEST = 2**28
COORDINATES = 2


def pixel_centres(size: Size, window: Window | None = None) -> Tensor:
    """Return the coordinates (h, w, 2), as (y, x) in [-1, 1], of the pixels of ``window`` in an image.

    Args:
        size: height and width of the whole image.
        window: top, left, height and width of the part asked for; all of it by default.
    """
    top, left, height, width = window or (0, 0, *size)
    axes = [
        (torch.arange(start, start + length, dtype=torch.float64) * 2 + 1) / whole - 1
        for start, length, whole in ((top, height, size[0]), (left, width, size[1]))
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


class ImplicitOutput(nn.Module):
    """Maps the last feature map to an image of any size.

    Every position sees the 3x3 neighbourhood of the feature map, sampled bilinearly (zeros outside),
    its coordinates (y, x) and the size of a pixel; a small spectrally normalised network with ReLU maps
    them to a colour, tanh ends it. As sampling is linear, the first layer's part over features is
    applied before it, as a convolution on the small map: the same numbers with 1/(9 C) of the memory.

    Args:
        channels: of the feature map.
        hidden: widths of the hidden layers; none makes the map linear.
        kernel: size of the neighbourhood, 3 or 1.
        cell: what the network is told of the pixel size, in units of the feature map's pixels: ``native``,
            always that of the size it was trained at (the authors' sampling); ``relative``, that of the
            image asked for (the authors' ``forward``; useful when trained at several sizes); ``none``
            (the paper's Table 7).
        coordinates: whether positions are told.
        spectral_norm: of all layers.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(
        self,
        channels: int,
        hidden: Sequence[int] = (),
        *,
        kernel: int = 3,
        cell: str = "native",
        coordinates: bool = True,
        spectral_norm: SpectralNormArg = True,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"implicit: cell must be one of {CELLS}, got {cell!r}")
        if kernel not in (1, 3):
            raise ValueError(f"implicit: kernel must be 1 or 3, got {kernel}")
        self.channels, self.kernel, self.cell = channels, kernel, cell
        self.coordinates = coordinates
        told = COORDINATES * coordinates + COORDINATES * (cell != "none")
        widths = [channels * kernel**2 + told, *hidden, 3]
        self.layers = nn.ModuleList(linear(a, b, spectral_norm=spectral_norm) for a, b in pairwise(widths))

    def forward(
        self,
        features: Tensor,
        size: Size | None = None,
        window: Window | None = None,
        points: int = POINTS,
    ) -> Tensor:
        """Return the image (N, 3, h, w) in [-1, 1].

        Args:
            features: (N, channels, H, W).
            size: height and width of the whole image; those of the features by default.
            window: top, left, height and width of the part to return; all of it by default.
            points: at most this many positions at a time; the image does not depend on it.

        Raises:
            ValueError: an impossible size or window; the message says what is possible.
        """
        native = (features.shape[2], features.shape[3])
        whole = size or native
        top, left, height, width = check_window(whole, window)
        first, *rest = [applied_weight(layer) for layer in self.layers]
        told = self._told(first, whole, native)
        mapped = at_least_float32(self._map_features(features, first))
        if whole == native and (height, width) == native:
            position = pixel_centres(whole).to(mapped)
            return self._colour(mapped, position, told, rest)
        image = mapped.new_empty(features.shape[0], 3, height, width)
        parts = []
        for y, x, h, w in _tiles(height, width, points):
            position = pixel_centres(whole, (top + y, left + x, h, w)).to(mapped)
            grid = position.flip(-1).expand(features.shape[0], -1, -1, -1)
            sampled = F.grid_sample(mapped, grid, padding_mode="zeros", align_corners=False)
            parts.append(((y, x, h, w), self._colour(sampled, position, told, rest)))
            if not torch.is_grad_enabled():  # nothing to keep: place it at once
                _place(image, parts.pop())
        for part in parts:
            _place(image, part)
        return image

    def _map_features(self, features: Tensor, first: Tensor) -> Tensor:
        """Apply the first layer's part over features, at the features' own positions."""
        columns = self.channels * self.kernel**2
        kernel = first[:, :columns].reshape(len(first), self.channels, self.kernel, self.kernel)
        return F.conv2d(features, kernel.to(features.dtype), padding=self.kernel // 2)

    def _told(self, first: Tensor, whole: Size, native: Size) -> tuple[Tensor | None, Tensor]:
        """Return the first layer's weights of the coordinates and its constant part."""
        columns = self.channels * self.kernel**2
        constant = cast(Tensor, self.layers[0].bias)
        weights = None
        if self.coordinates:
            weights = first[:, columns : columns + COORDINATES]
            columns += COORDINATES
        if self.cell != "none":
            ratio = [n / s if self.cell == "relative" else 1.0 for n, s in zip(native, whole, strict=True)]
            constant = constant + first[:, columns:] @ first.new_tensor([2 * part for part in ratio])
        return weights, constant

    def _colour(
        self, mapped: Tensor, position: Tensor, told: tuple[Tensor | None, Tensor], rest: list[Tensor]
    ) -> Tensor:
        """Finish the network at positions (h, w, 2) from the sampled first layer (N, hidden, h, w)."""
        weights, constant = told
        x = mapped + constant[:, None, None]
        if weights is not None:
            x = x + torch.einsum("hwc,oc->ohw", position, weights)
        for weight, layer in zip(rest, list(self.layers)[1:], strict=True):
            bias = cast(Tensor, layer.bias)
            x = F.conv2d(F.relu(x), weight[:, :, None, None], bias)
        return torch.tanh(at_least_float32(x))


def check_window(size: Size, window: Window | None) -> Window:
    """Return ``window``, or all of an image of ``size``.

    Raises:
        ValueError: no pixels, too many, or a window that leaves the image.
    """
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"size must be a height and a width of at least 1, got {tuple(size)}")
    top, left, height, width = window or (0, 0, *size)
    inside = top >= 0 and left >= 0 and top + height <= size[0] and left + width <= size[1]
    if not inside or height < 1 or width < 1:
        raise ValueError(f"window {window} (top, left, height, width) does not lie in an image of {size}")
    if height * width > LARGEST:
        raise ValueError(
            f"an image of {height} x {width} takes {height * width * 12 / 1e9:.0f} GB; "
            f"render it in windows of at most {LARGEST} pixels (window=(top, left, height, width))"
        )
    return top, left, height, width


def _tiles(height: int, width: int, points: int) -> Iterator[Window]:
    """Cut a plane into tiles of at most ``points`` positions (at least one)."""
    columns = min(width, max(points, 1))
    rows = max(points // columns, 1)
    for y in range(0, height, rows):
        for x in range(0, width, columns):
            yield y, x, min(rows, height - y), min(columns, width - x)


def _place(image: Tensor, part: tuple[Window, Tensor]) -> None:
    (y, x, h, w), colours = part
    image[:, :, y : y + h, x : x + w] = colours
