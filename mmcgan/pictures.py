"""Pictures to look at: tiles of images, contact sheets, PNG files."""

from __future__ import annotations

import io
import math
from pathlib import Path

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
    count, channels, height, width = images.shape
    levels = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).expand(-1, max(channels, 3), -1, -1)
    grid = levels.reshape(count // columns, columns, 3, height, width).permute(0, 3, 1, 4, 2)
    return grid.reshape(count // columns * height, columns * width, 3).contiguous().numpy()


def contact_sheet(images: Tensor, columns: int) -> np.ndarray:
    """Return :func:`tile` to be looked at: small images enlarged, a grey gap around each.

    Examples:
        >>> contact_sheet(torch.zeros(6, 3, 16, 16), columns=3).shape  # enlarged threefold, and gaps
        (100, 150, 3)
    """
    factor = math.ceil(VISIBLE_HEIGHT / images.shape[-2])
    enlarged = images.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    return tile(torch.nn.functional.pad(enlarged, (GAP,) * 4), columns)


def write_png(picture: np.ndarray, path: Path) -> None:
    """Write a uint8 picture (height, width, 3) atomically."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    write_file(path, buffer.getvalue())
