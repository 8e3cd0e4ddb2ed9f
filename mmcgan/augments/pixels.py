"""Moving whole pixels of a batch of images, every image by its own amount."""

from __future__ import annotations

import torch
from torch import Tensor


def reflect(position: Tensor, size: int) -> Tensor:
    """Map positions on an image axis extended by endless reflection into [0, size - 1].

    The border pixel is not repeated: -1 maps to 1, and ``size`` to ``size - 2``.

    Args:
        position: integers, any shape.
        size: pixels of the axis.
    """
    period = max(2 * (size - 1), 1)
    folded = position.remainder(period)
    return torch.minimum(folded, (period - folded).remainder(period)) if size > 1 else folded


def take_pixels(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return ``out[n, c, i, j] = image[n, c, rows[n, i], columns[n, j]]``.

    Args:
        image: (N, C, H, W).
        rows: int64 (N, H').
        columns: int64 (N, W').

    Returns:
        (N, C, H', W').
    """
    number = torch.arange(len(image), device=image.device)[:, None, None]
    return image.movedim(1, -1)[number, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def positions(size: int, like: Tensor) -> Tensor:
    """Return 0 ... size - 1, int64 (1, size), on the device of ``like``."""
    return torch.arange(size, device=like.device)[None]


def per_image(value: Tensor) -> Tensor:
    """Reshape (N,) to (N, 1, 1, 1)."""
    return value[:, None, None, None]
