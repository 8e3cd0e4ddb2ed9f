"""3x3 convolutions of many channels as products of matrices, on processors.

With padding 1 and stride 1, tiles of 2x2 results take 16 products for each pair of channels instead of 36:
the minimal algorithm F(2x2, 3x3) of Winograd (Lavin and Gray, "Fast Algorithms for Convolutional Neural
Networks", 2016, section 4.1). The weight's gradient takes as many, between the same tiles and those of the
incoming gradient. Exact but for rounding, which is less than that of the direct sum, for sums are shorter.

Weight gradients of stride 2 are one matrix product for each of nine taps.

Images go through in parts that stay in the processor's cache. Derivatives of second and higher order are
torch's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit._trace import is_tracing
from torch.nn import functional as F

#: Channels of both sides from which on it is faster so: the weight's gradient, all else, and gradients of
#: weights of stride 2.
#: Measured with benchmarks/tiled_convolution.py; docs/performance.md has the table.
GRADIENT_FROM = 128
RESULT_FROM = 256
STRIDED_FROM = 256
#: 2x2 tiles over the batch from which on transforming the weights pays.
TILES_FROM = 256
#: bytes of the images that go through at once
PART = 1 << 20
TYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Shape:
    """What convolution: a 3x3 kernel with this stride and padding, transposed or not."""

    stride: int = 1
    padding: int = 1
    transposed: bool = False

    def arguments(self) -> tuple[Any, ...]:
        """Return what torch's operators want behind the bias."""
        stride, padding = [self.stride] * 2, [self.padding] * 2
        return stride, padding, [1, 1], self.transposed, [0, 0], 1


SAME = Shape()
HALVING = Shape(stride=2, padding=0)
DOUBLING = Shape(stride=2, padding=0, transposed=True)


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape = SAME) -> Tensor:
    """Convolve (N, in, H, W) with a 3x3 kernel, in the fastest way that is known here.

    Args:
        x: features.
        weight: (out, in, 3, 3), or (in, out, 3, 3) where transposed.
        bias: (out,).
        shape: stride, padding and direction.
    """
    if _takes_part(x, weight, shape):
        return _Convolution.apply(x, weight, bias, shape)
    plain = F.conv_transpose2d if shape.transposed else F.conv2d
    return plain(x, weight, bias, stride=shape.stride, padding=shape.padding)


class Conv2d(nn.Conv2d):
    """torch's convolution, by :func:`convolve` where that is for it."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        settings = (self.stride, self.padding, self.dilation, self.groups, self.padding_mode)
        if settings == ((1, 1), (1, 1), (1, 1), 1, "zeros") and input.dim() == 4:
            return convolve(input, weight, bias)
        return super()._conv_forward(input, weight, bias)


def _takes_part(x: Tensor, weight: Tensor, shape: Shape) -> bool:
    """Return whether anything of this convolution is faster in this file."""
    channels = min(weight.shape[:2])
    differentiated = torch.is_grad_enabled() and weight.requires_grad
    if shape == SAME:
        pays = channels >= (GRADIENT_FROM if differentiated else RESULT_FROM) and _tiles(x) >= TILES_FROM
    else:
        pays = channels >= STRIDED_FROM and differentiated
    return pays and _suits(x, weight)


def _suits(x: Tensor, weight: Tensor) -> bool:
    """Return whether device, types, layout and circumstances are those that this file is for."""
    if (
        x.device.type != "cpu"
        or x.dtype not in TYPES
        or weight.dtype != x.dtype
        or weight.shape[2:] != (3, 3)
    ):
        return False
    if torch.compiler.is_compiling() or is_tracing() or torch.is_autocast_enabled("cpu"):
        return False
    return x.is_contiguous(memory_format=torch.channels_last)


def _tiles(x: Tensor) -> int:
    """Return the number of 2x2 tiles over the batch; 0 where a row is left over or the size is a symbol."""
    images, _, height, width = x.shape
    if not all(isinstance(size, int) for size in x.shape) or height % 2 or width % 2:
        return 0
    return images * height * width // 4


class _Convolution(torch.autograd.Function):
    """A convolution whose own products are taken where they are the faster ones."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.shape, ctx.biased = shape, bias is not None
        if shape == SAME and min(weight.shape[:2]) >= RESULT_FROM:
            y = _tiled_result(x, weight)
            return y if bias is None else y.add_(bias[:, None, None])
        return torch.convolution(x, weight, bias, *shape.arguments())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x, weight), shape, (gradient,) = ctx.saved_tensors, ctx.shape, gradients
        needs_x, needs_weight, needs_bias, _ = ctx.needs_input_grad
        if torch.is_grad_enabled():
            return (*_plain_gradients(gradient, x, weight, shape, [needs_x, needs_weight, needs_bias]), None)
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        by_x = by_weight = by_bias = None
        if needs_x and shape == SAME and min(weight.shape[:2]) >= RESULT_FROM:
            by_x = _tiled_result(gradient, weight.flip(2, 3).transpose(0, 1))
        elif needs_x:
            by_x = _plain_gradients(gradient, x, weight, shape, [True, False, False])[0]
        if needs_weight:
            by_weight = _weight_gradient(gradient, x, shape)
        if needs_bias and ctx.biased:
            by_bias = gradient.sum((0, 2, 3))
        return by_x, by_weight, by_bias, None


def _plain_gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, shape: Shape, mask: list[bool]
) -> tuple[Tensor | None, ...]:
    """Return torch's gradients by x, weight and bias; they can be differentiated."""
    channels = [weight.shape[1 if shape.transposed else 0]]
    return torch.ops.aten.convolution_backward(
        gradient, x, weight, channels if mask[2] else None, *shape.arguments(), mask
    )


def _weight_gradient(gradient: Tensor, x: Tensor, shape: Shape) -> Tensor:
    """Return the gradient of the weight, in its shape."""
    x, gradient = x.permute(0, 2, 3, 1), gradient.permute(0, 2, 3, 1)
    if shape == SAME:
        return _tiled_weight_gradient(x, gradient)
    if shape.transposed:
        return _strided_weight_gradient(gradient, x)
    return _strided_weight_gradient(x, gradient)


def _parts(*several: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Cut tensors (N, ...) into parts of as many images as the cache holds."""
    largest = max(tensor[0].numel() * tensor.element_size() for tensor in several)
    return zip(*(tensor.split(max(1, PART // largest)) for tensor in several), strict=True)


def _strided_weight_gradient(large: Tensor, small: Tensor) -> Tensor:
    """Return (C of small, C of large, 3, 3): every tap's products of what it connects.

    Args:
        large: (N, 2H + 1 or more, 2W + 1 or more, C): input, or gradient of the result if transposed.
        small: (N, H, W, C).
    """
    _, height, width, channels = small.shape
    found = large.new_zeros(3, 3, channels, large.shape[3])
    for wide, narrow in _parts(large, small):
        factor = narrow.reshape(-1, channels).t()
        for row in range(3):
            for column in range(3):
                seen = wide[:, row : row + 2 * height - 1 : 2, column : column + 2 * width - 1 : 2]
                found[row, column].addmm_(factor, seen.reshape(-1, large.shape[3]))
    return found.permute(2, 3, 0, 1)


# --- F(2x2, 3x3) --------------------------------------------------------------------------------------------


def _spread_weight(like: Tensor) -> Tensor:
    """Return the (16, 9) matrix that makes 4x4 factors of 3x3 taps."""
    axis = like.new_tensor([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
    return torch.kron(axis, axis)


def _tiled_result(x: Tensor, weight: Tensor) -> Tensor:
    """Return the convolution of (N, C, H, W) with (K, C, 3, 3), channels-last."""
    x = x.permute(0, 2, 3, 1)
    after, before = weight.shape[:2]
    factors = (_spread_weight(weight) @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(16, before, after)
    result = x.new_empty(*x.shape[:3], after)
    for images, out in _parts(x, result):
        tiles = _input_tiles(images)
        products = torch.bmm(tiles.view(16, -1, before), factors).view(*tiles.shape[:-1], after)
        _gather_tiles(products, out)
    return result.permute(0, 3, 1, 2)


def _tiled_weight_gradient(x: Tensor, gradient: Tensor) -> Tensor:
    """Return (K, C, 3, 3) from the input (N, H, W, C) and the gradient of the result (N, H, W, K)."""
    before, after = x.shape[3], gradient.shape[3]
    found = x.new_zeros(16, before, after)
    for images, incoming in _parts(x, gradient):
        left, right = _input_tiles(images), _gradient_tiles(incoming)
        found.baddbmm_(left.view(16, -1, before).transpose(1, 2), right.view(16, -1, after))
    taps = _spread_weight(x).t() @ found.view(16, -1)
    return taps.view(3, 3, before, after).permute(3, 2, 0, 1)


def _input_tiles(x: Tensor) -> Tensor:
    """Return (4, 4, N, H/2, W/2, C): the 4x4 neighbourhoods of 2x2 tiles, transformed along both axes."""
    images, height, width, channels = x.shape
    padded = F.pad(x, (0, 0, 1, 1, 1, 1))
    rows = x.new_empty(4, images, height // 2, width + 2, channels)
    _transform([padded[:, start : start + height : 2] for start in range(4)], list(rows))
    tiles = x.new_empty(4, 4, images, height // 2, width // 2, channels)
    _transform([rows[:, :, :, start : start + width : 2] for start in range(4)], list(tiles.unbind(1)))
    return tiles


def _transform(given: list[Tensor], out: list[Tensor]) -> None:
    torch.sub(given[0], given[2], out=out[0])
    torch.add(given[1], given[2], out=out[1])
    torch.sub(given[2], given[1], out=out[2])
    torch.sub(given[1], given[3], out=out[3])


def _gather_tiles(products: Tensor, out: Tensor) -> None:
    """Write results (N, H, W, K) from products (4, 4, N, H/2, W/2, K)."""
    rows = products[0] + products[1], products[1] - products[2]
    rows[0].add_(products[2])
    rows[1].sub_(products[3])
    for row, values in enumerate(rows):
        first, second = out[:, row::2, 0::2], out[:, row::2, 1::2]
        torch.add(values[0], values[1], out=first)
        first.add_(values[2])
        torch.sub(values[1], values[2], out=second)
        second.sub_(values[3])


def _gradient_tiles(gradient: Tensor) -> Tensor:
    """Return (4, 4, N, H/2, W/2, K): 2x2 tiles of the gradient, spread as the products were gathered."""
    images, height, width, channels = gradient.shape
    rows = gradient.new_empty(4, images, height // 2, width, channels)
    _spread(gradient[:, 0::2], gradient[:, 1::2], list(rows))
    tiles = gradient.new_empty(4, 4, images, height // 2, width // 2, channels)
    _spread(rows[:, :, :, 0::2], rows[:, :, :, 1::2], list(tiles.unbind(1)))
    return tiles


def _spread(first: Tensor, second: Tensor, out: list[Tensor]) -> None:
    out[0].copy_(first)
    torch.add(first, second, out=out[1])
    torch.sub(first, second, out=out[2])
    torch.neg(second, out=out[3])
