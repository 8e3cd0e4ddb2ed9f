"""Pictures to look at: tiles of images, contact sheets, PNG files."""

from __future__ import annotations

import io
import math
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmcgan.checkpoints.atomic import write_file

GAP = 1  # pixels of mid-grey around an image of a contact sheet
VISIBLE_HEIGHT = 48  # pixels that an image of a contact sheet is high at least


def tile(images: Tensor, columns: int) -> np.ndarray:
    """Return images (N, C, H, W) in [-1, 1] as one uint8 picture (height, width, 3).

    Rounds to the nearest of 256 levels.
    """
    count, _, height, width = images.shape
    grid = levels(images).reshape(count // columns, columns, height, width, 3).permute(0, 2, 1, 3, 4)
    return grid.reshape(count // columns * height, columns * width, 3).contiguous().numpy()


def levels(images: Tensor) -> Tensor:
    """Return images (N, C, H, W) in [-1, 1] as uint8 (N, H, W, max(C, 3)), to the nearest of 256 levels."""
    rounded = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return rounded.expand(-1, max(images.shape[1], 3), -1, -1).permute(0, 2, 3, 1)


def from_levels(pixels: Tensor) -> Tensor:
    """Return 256 levels, uint8 of any shape, as float32 in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def contact_sheet(images: Tensor, columns: int) -> np.ndarray:
    """Return :func:`tile` to be looked at: small images enlarged, a grey gap around each.

    Examples:
        >>> contact_sheet(torch.zeros(6, 3, 16, 16), columns=3).shape  # enlarged threefold, and gaps
        (100, 150, 3)
    """
    factor = math.ceil(VISIBLE_HEIGHT / images.shape[-2])
    enlarged = images.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    return tile(torch.nn.functional.pad(enlarged, (GAP,) * 4), columns)


def write_png(picture: np.ndarray, path: str | Path) -> None:
    """Write a uint8 picture (height, width, 3), or (height, width) of one channel, atomically."""
    write_file(path, encode_png(picture))


def encode_png(picture: np.ndarray, quickly: bool = False) -> bytes | memoryview:
    """Return a uint8 picture (height, width, 3), or (height, width) of one channel, as PNG.

    Args:
        picture: RGB or gray.
        quickly: by OpenCV, which takes a third of Pillow's time and lets other threads work meanwhile; the
            file is larger.
    """
    if quickly:
        encoded, content = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)
        if not encoded:
            raise ValueError(f"a picture {picture.shape} cannot be encoded")
        return content.data
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()
