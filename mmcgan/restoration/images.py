"""Images to be restored, read in the shape that a generator makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmcgan.datasets.decode import BadImageError, ImageReader, max_pixels, read_rgb
from mmcgan.pictures import from_levels
from mmcgan.text_files import printable


def read_square(path: Path, image_size: int) -> Tensor:
    """Return the centre of an image, (1, 3, image_size, image_size) in [-1, 1].

    Raises:
        BadImageError: the file cannot be read.
    """
    return _scaled(ImageReader(image_size)(path))


def read_whole(path: Path, short_side: int) -> Tensor:
    """Return a whole image (1, 3, H, W) in [-1, 1] with its shorter side resized, proportions kept.

    Raises:
        BadImageError: the file cannot be read.
    """
    image = _open(path)
    scale = short_side / min(image.size)
    size = [max(1, round(side * scale)) for side in image.size]
    if size[0] * size[1] > max_pixels():
        raise BadImageError(
            f"{printable(path)}: with a short side of {short_side} pixels it would be {size[0]} x {size[1]}, "
            f"{max_pixels():,} pixels are allowed"
        )
    return _tensor(image.resize((size[0], size[1]), Image.Resampling.BILINEAR))


def read_as_is(path: Path) -> Tensor:
    """Return an image (1, 3, H, W) in [-1, 1] at its own size.

    Raises:
        BadImageError: the file cannot be read.
    """
    return _tensor(_open(path))


def _open(path: Path) -> Image.Image:
    return read_rgb(path)


def _tensor(image: Image.Image) -> Tensor:
    return _scaled(torch.from_numpy(np.array(image)).permute(2, 0, 1))


def _scaled(image: Tensor) -> Tensor:
    return from_levels(image.unsqueeze(0))
