"""Linear maps of colours: 4 x 4 matrices on (red, green, blue, 1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmcgan.augments.constants import constant
from mmcgan.augments.warp import matrix

GREY = 1 / math.sqrt(3)  # every component of the unit vector along which colours are grey


def _grey_projection(like: Tensor) -> Tensor:
    axis = constant((GREY, GREY, GREY, 0.0), like)
    return axis[:, None] * axis


def brightness(amount: Tensor) -> Tensor:
    """Return maps that add ``amount`` (N,) to every channel, (N, 4, 4)."""
    row = [[float(i == j) for j in range(3)] for i in range(3)]
    return matrix([[*row[0], amount], [*row[1], amount], [*row[2], amount], [0.0, 0.0, 0.0, 1.0]], amount)


def contrast(factor: Tensor) -> Tensor:
    """Return maps that multiply every channel by ``factor`` (N,), (N, 4, 4)."""
    diagonal = torch.stack([factor, factor, factor, torch.ones_like(factor)], dim=-1)
    return torch.diag_embed(diagonal)


def luma_flip(flipped: Tensor) -> Tensor:
    """Return maps that mirror lightness but keep hue where ``flipped`` (N,) is 1, (N, 4, 4)."""
    return _identity(flipped) - 2 * _grey_projection(flipped) * flipped[:, None, None]


def hue_rotation(angle: Tensor) -> Tensor:
    """Return maps that rotate colours about the grey axis by ``angle`` (N,), (N, 4, 4)."""
    cosine, sine = angle.cos(), angle.sin() * GREY
    same, before, after = (1 - cosine) / 3 + cosine, (1 - cosine) / 3 - sine, (1 - cosine) / 3 + sine
    rows: list[list[Tensor | float]] = [
        [same, before, after, 0.0],
        [after, same, before, 0.0],
        [before, after, same, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    return matrix(rows, angle)


def saturation(factor: Tensor) -> Tensor:
    """Return maps that multiply the distance from grey by ``factor`` (N,), (N, 4, 4)."""
    grey = _grey_projection(factor)
    rest = _identity(factor) - grey
    kept = torch.zeros_like(rest)
    kept[3, 3].fill_(1.0)
    return grey + kept + (rest - kept) * factor[:, None, None]


def _identity(like: Tensor) -> Tensor:
    """Return the map that changes nothing, (4, 4), made where ``like`` lies: a copy from the host waits."""
    return torch.eye(4, dtype=like.dtype, device=like.device)


def recolour(image: Tensor, colours: Tensor) -> Tensor:
    """Return images (N, 3, H, W) with maps (N, 4, 4) applied to every pixel."""
    changed = torch.baddbmm(colours[:, :3, 3:], colours[:, :3, :3], image.flatten(2))
    return changed.view_as(image)
