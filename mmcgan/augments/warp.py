"""Affine maps of images, resampled without aliasing and filled in by endless reflection."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.augments.pixels import reflect
from mmcgan.augments.wavelets import resampling_filter

# Half the taps of the resampling filter, and so many pixels around the result are needed.
MARGIN = 3


def matrix(rows: list[list[Tensor | float]], like: Tensor) -> Tensor:
    """Return a batch of matrices, (N, len(rows), len(rows[0])), whose entries are (N,) or numbers.

    Args:
        like: (N,), gives number, type and device.
    """
    # filled where they lie: a number that is copied from the host is waited for
    entries = [e.to(like) if isinstance(e, Tensor) else like.new_full((), e) for row in rows for e in row]
    flat = torch.stack([entry.expand(like.shape) for entry in entries], dim=-1)
    return flat.unflatten(-1, (len(rows), len(rows[0])))


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """Return maps (x, y) -> (x * a, y * b), (N, 3, 3), for factors (N,)."""
    return matrix([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]], x)


def rotation(angle: Tensor) -> Tensor:
    """Return maps that turn the x axis towards the y axis by ``angle`` (N,), (N, 3, 3)."""
    sine, cosine = angle.sin(), angle.cos()
    return matrix([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]], angle)


def translation(x: Tensor, y: Tensor) -> Tensor:
    """Return maps that add (x, y), both (N,), to a position, (N, 3, 3)."""
    return matrix([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]], x)


class _Sample(torch.autograd.Function):
    """Bilinear sampling, differentiable any number of times with respect to the image."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, grid: Tensor) -> Tensor:
        """Return the image (N, C, H, W) at ``grid`` (N, H', W', 2), border to border in [-1, 1]."""
        ctx.save_for_backward(grid)
        ctx.size = image.shape
        return F.grid_sample(image, grid, align_corners=True)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the image; positions are constants."""
        return _Spread.apply(gradient, ctx.saved_tensors[0], ctx.size), None


class _Spread(torch.autograd.Function):
    """The transpose of :class:`_Sample`, which PyTorch cannot differentiate itself."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        """Return the gradient of an image of ``size``."""
        ctx.save_for_backward(grid)
        template = gradient.new_zeros(1).expand(size)
        found, _ = torch.ops.aten.grid_sampler_2d_backward(
            gradient.contiguous(), template, grid, 0, 0, True, [True, False]
        )
        return found

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Sample the gradient where the image was sampled."""
        return _Sample.apply(gradient, ctx.saved_tensors[0]), None, None


def sample(image: Tensor, grid: Tensor) -> Tensor:
    """Return ``image`` (N, C, H, W) at ``grid`` (N, H', W', 2), bilinear, zero outside.

    The centres of the border pixels are at -1 and 1. Gradients of every order reach the image,
    none the grid.
    """
    return _Sample.apply(image, grid)


def warp(image: Tensor, inverse: Tensor) -> Tensor:
    """Return images under affine maps, of the same size.

    As in ADA (Karras et al. 2020, Appendix B): doubled in resolution with a wavelet filter,
    sampled bilinearly, and halved with the mirrored filter, so that the identity changes nothing.
    Beyond its border an image goes on by reflection without end; any shift and any size are safe.

    Args:
        image: (N, C, H, W), at least 2 pixels wide and high.
        inverse: (N, 3, 3), maps a position (x, y, 1) of the result to where it comes from, in
            pixels with the origin at the image's centre.
    """
    height, width = image.shape[-2:]
    fine = _double(_double(image).transpose(2, 3)).transpose(2, 3)
    x, y = _fine_positions(width, image), _fine_positions(height, image)
    terms = inverse[:, :2, :, None, None].unbind(2)  # factors of x, of y, and the shift
    source = terms[0] * x + terms[1] * y[:, None] + terms[2]
    grid = torch.stack([_wrapped(source[:, 0], width), _wrapped(source[:, 1], height)], dim=-1)
    moved = sample(fine, grid)
    return _halve(_halve(moved).transpose(2, 3)).transpose(2, 3)


def _double(image: Tensor) -> Tensor:
    """Return one period of the reflected last axis at twice the resolution, 4 * (size - 1) + 1 long."""
    return image @ _doubling(image.shape[-1], image.dtype, image.device)


def _halve(image: Tensor) -> Tensor:
    """Return the last axis filtered and at half the resolution, without its margins."""
    return image @ _halving(image.shape[-1], image.dtype, image.device)


# Dense matrices: on images of up to 256 px they beat convolutions of a single channel by far.
@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _doubling(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the matrix (size, 4 * (size - 1) + 1) that fills in zeros, reflects and filters."""
    taps = resampling_filter()
    length = 4 * (size - 1) + 1
    result = torch.arange(length).expand(len(taps), -1)
    doubled = result + torch.arange(len(taps))[:, None] - 2 * MARGIN
    weight = torch.where(doubled % 2 == 0, 2 * taps.flip(0)[:, None], 0.0)
    source = reflect(doubled.div(2, rounding_mode="floor"), size)
    made = torch.zeros(size, length, dtype=taps.dtype)
    made.index_put_((source.flatten(), result.flatten()), weight.flatten(), accumulate=True)
    return made.to(device, dtype)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _halving(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the matrix (length, length / 2 - 2 * MARGIN) that filters and keeps every second sample."""
    taps = resampling_filter()
    size = length // 2 - 2 * MARGIN
    made = torch.zeros(length, size, dtype=taps.dtype)
    for result in range(size):
        made[1 + 2 * result : 1 + 2 * result + len(taps), result] = taps
    return made.to(device, dtype)


def _fine_positions(size: int, like: Tensor) -> Tensor:
    """Return where the samples of the doubled result lie, margins included, in pixels."""
    count = 2 * (size + 2 * MARGIN)
    return (torch.arange(count, device=like.device, dtype=like.dtype) + 1 - count / 2) / 2


def _wrapped(position: Tensor, size: int) -> Tensor:
    """Return the coordinate, in [-1, 1], of a position within the period that :func:`_double` makes."""
    period = 4 * (size - 1)
    return (2 * position + size - 1).remainder(period) * (2 / period) - 1
