"""The ways in which published figures resized their images, each by name.

Every rule is linear and separable, so that a whole batch is resized by two matrix products, on any
device, with the coefficients of the library after which it is named.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Resize(Protocol):
    """A rule: ``rule(image, size)`` resizes (N, 3, H, W) in [0, 255] to a square, and keeps that range.

    ``rule.linear(image, size)`` is the same without limits and rounding, for images of any range: what
    gradients pass through.
    """

    def __call__(self, image: Tensor, size: int) -> Tensor:
        """Return the resized image in [0, 255]."""

    def linear(self, image: Tensor, size: int) -> Tensor:
        """Return the resized image, not limited."""


def _triangle(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


def _cubic(x: Tensor) -> Tensor:
    """Keys' cubic with a = -0.5."""
    a, x = -0.5, x.abs()
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


def _lanczos(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 3, torch.sinc(x) * torch.sinc(x / 3), torch.zeros_like(x))


KERNELS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic, 2.0),
    "lanczos": (_lanczos, 3.0),
}


@lru_cache(maxsize=32)
def antialiased_weights(kernel: str, source: int, target: int) -> Tensor:
    """Return the matrix float64 (target, source) by which Pillow resizes one axis.

    The kernel is widened by the factor of shrinking; weights are cut at the border and sum to 1.
    """
    function, radius = KERNELS[kernel]
    scale = source / target
    stretch = max(scale, 1.0)
    weights = torch.zeros(target, source, dtype=torch.float64)
    for row in range(target):
        centre = (row + 0.5) * scale
        first = max(int(centre - radius * stretch + 0.5), 0)
        last = min(int(centre + radius * stretch + 0.5), source)
        position = torch.arange(first, last, dtype=torch.float64)
        values = function((position - centre + 0.5) / stretch)
        weights[row, first:last] = values / values.sum()
    return weights


@lru_cache(maxsize=32)
def corner_weights(source: int, target: int) -> Tensor:
    """Return the matrix float64 (target, source) of TensorFlow 1's bilinear rule.

    Output k reads position k * source / target: corners, not centres, of pixels meet, and nothing is
    antialiased.
    """
    weights = torch.zeros(target, source, dtype=torch.float64)
    for row in range(target):
        position = row * source / target
        low = math.floor(position)
        weights[row, low] += 1 - (position - low)
        weights[row, min(low + 1, source - 1)] += position - low
    return weights


@dataclass(frozen=True)
class _Separable:
    """Resizes by one matrix per axis, the horizontal one first.

    Attributes:
        weights: (source, target) -> matrix.
        clip: the result into 0..255.
        rounding: to whole numbers in 0..255 after each axis, as Pillow does with 8-bit images.
    """

    weights: Callable[[int, int], Tensor]
    clip: bool = False
    rounding: bool = False

    def linear(self, image: Tensor, size: int) -> Tensor:
        """Return the resized image without rounding or limits."""
        height, width = image.shape[-2:]
        rows = image @ self.weights(width, size).to(image).T
        return self.weights(height, size).to(image) @ rows

    def __call__(self, image: Tensor, size: int) -> Tensor:
        height, width = image.shape[-2:]
        rows = self._rounded(image @ self.weights(width, size).to(image).T)
        result = self._rounded(self.weights(height, size).to(image) @ rows)
        return result.clamp(0, 255) if self.clip else result

    def _rounded(self, image: Tensor) -> Tensor:
        return (image + 0.5).floor().clamp(0, 255) if self.rounding else image


def _pillow(kernel: str, **options: bool) -> _Separable:
    return _Separable(lambda source, target: antialiased_weights(kernel, source, target), **options)


@dataclass(frozen=True)
class _Interpolation:
    """Resizes as torch's ``interpolate`` of this mode does."""

    mode: str
    antialias: bool

    def linear(self, image: Tensor, size: int) -> Tensor:
        """Return the resized image without limits."""
        return F.interpolate(
            image, (size, size), mode=self.mode, align_corners=False, antialias=self.antialias
        )

    def __call__(self, image: Tensor, size: int) -> Tensor:
        return self.linear(image, size).clamp(0, 255)


# how a float image (N, 3, H, W) in [0, 255] becomes a square of the extractor's size
RESIZE_RULES: dict[str, Resize] = {
    "bilinear": _Interpolation("bilinear", antialias=False),
    "bilinear-antialias": _Interpolation("bilinear", antialias=True),
    "bicubic-antialias": _Interpolation("bicubic", antialias=True),
    "legacy": _Interpolation("bilinear", antialias=False),  # StudioGAN's and clean-fid's name of it
    "tf-bilinear": _Separable(corner_weights),
    "clean": _pillow("bicubic", clip=True),  # clean-fid
    "pil-bilinear": _pillow("bilinear"),  # StudioGAN "friendly": TF Inception, ResNet-50, SwAV, DINO
    "pil-bicubic": _pillow("bicubic"),  # StudioGAN "clean", which does not clip
    "pil-lanczos": _pillow("lanczos"),  # StudioGAN "friendly": torchvision Inception
    "pil-bicubic-8bit": _pillow("bicubic", rounding=True),  # a file that was resized before
}
