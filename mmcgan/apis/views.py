"""Which size, and which part of it, a generator of any size is asked to render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.memory import check_memory
from mmcgan.models.generators.base import Generator
from mmcgan.models.layers.implicit_output import Size, Window, check_window

#: Images that are made together have no more pixels than this.
PIXELS_AT_A_TIME = 2**20
#: Longer sides of images on a sheet of several.
SHEET_SIDE = 256


@dataclass(frozen=True)
class View:
    """An image plane and the part of it that is looked at.

    Attributes:
        size: height and width of the whole image, in pixels.
        window: top, left, height and width of the part to render; None for all of it.

    Raises:
        ValueError: no pixels, more than can be held, or a window that leaves the image.
    """

    size: Size
    window: Window | None = None

    def __post_init__(self) -> None:
        check_window(self.size, self.window)

    @property
    def shape(self) -> Size:
        """Height and width of what is rendered."""
        return self.size if self.window is None else self.window[2:]

    @property
    def batch(self) -> int:
        """How many images to make at a time."""
        return max(1, PIXELS_AT_A_TIME // (self.shape[0] * self.shape[1]))


def find_view(size: Sequence[int] | int | None, window: Sequence[int] | None = None) -> View | None:
    """Return the view of a size (one number is a square's side) and a window; None without any.

    Raises:
        ValueError: numbers that make no view, or a window of nothing.
    """
    if size is None:
        if window is not None:
            raise ValueError("a window (--window) is a part of an image: give the size (--size) of the whole")
        return None
    sides = [size, size] if isinstance(size, int) else list(size)
    sides = sides * 2 if len(sides) == 1 else sides
    if len(sides) != 2:
        raise ValueError(f"size must be one number or a height and a width, got {sides}")
    if window is None:
        return View((sides[0], sides[1]), None)
    if len(window) != 4:
        raise ValueError(f"window must be top, left, height and width, got {list(window)}")
    top, left, height, width = window
    return View((sides[0], sides[1]), (top, left, height, width))


def checked_view(generator: Generator, view: View | None, owner: str, kept: int = 1) -> View | None:
    """Return the view to ask a generator for, None for all of its own size, once it fits into memory.

    Args:
        generator: of the model.
        view: what is wanted; None is always possible.
        owner: name of the model, for messages.
        kept: images that are in memory at the same time.

    Raises:
        ValueError: a generator of one size, or too little memory; says how much and what to set.
    """
    if view is None:
        return None
    own: int = generator.image_size
    if not generator.any_size:
        if view.window is not None or view.size != (own, own):
            raise ValueError(
                f"{owner} makes images of {own} x {own} only; other sizes and windows need a generator "
                "with an implicit output layer, such as those of configs/omni_inr"
            )
        return None
    check_memory(view.shape, owner, "a smaller size, or parts of the image with --window", kept)
    return view


@torch.no_grad()
def shrunk(images: Tensor, side: int = SHEET_SIDE) -> Tensor:
    """Return images (N, 3, H, W) made so small that no side is longer than ``side``."""
    height, width = images.shape[2:]
    scale = side / max(height, width)
    if scale >= 1:
        return images
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(images, size=size, mode="bilinear", antialias=True).clamp(-1, 1)
