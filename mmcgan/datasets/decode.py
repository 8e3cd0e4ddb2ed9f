"""From an image file of any common kind to uint8 RGB of one size."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from mmcgan.datasets.base import check_choice, check_image_size
from mmcgan.image_files import open_image

FITS = ("crop_long_side", "resize_short_side", "stretch", "exact")
INTERPOLATIONS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".gif")
_DECODING_ERRORS = (OSError, SyntaxError, ValueError, struct.error, zlib.error, Image.DecompressionBombError)


class BadImageError(ValueError):
    """An image file that cannot be used; the message names it."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to 8-bit RGB.

    16-bit values are divided by 257, transparency is laid over white, gray is replicated, palettes
    are looked up and CMYK is converted.

    Raises:
        ValueError: 32-bit integer or floating-point values, whose range is not known.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_wide_integers(image)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _from_wide_integers(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError(f"pixels of mode {image.mode!r} have no known range; save it with 8 or 16 bits")
    return Image.fromarray(np.round(values / 257.0).astype(np.uint8)).convert("RGB")


@dataclass(frozen=True)
class ImageReader:
    """Reads image files as uint8 (3, image_size, image_size).

    Attributes:
        image_size: height and width of the result.
        fit: ``crop_long_side`` cuts the centre square, then resizes (BigGAN-PyTorch's preparation of
            ImageNet); ``resize_short_side`` resizes, then cuts the centre; ``stretch`` keeps everything but
            the proportions (IC-GAN's COCO-Stuff); ``exact`` accepts images of the right size only.
        interpolation: ``bilinear`` (the papers'), ``bicubic``, ``lanczos`` or ``box``; all antialiased.

    Raises:
        ValueError: an unknown option or a bad size.
    """

    image_size: int
    fit: str = "crop_long_side"
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        check_image_size(self.image_size, "image reader")
        check_choice(self.fit, FITS, "fit", "image reader")
        check_choice(self.interpolation, tuple(INTERPOLATIONS), "interpolation", "image reader")

    def __call__(self, path: str | Path) -> Tensor:
        """Read ``path``, turned upright by its EXIF orientation.

        Raises:
            BadImageError: the file is unreadable, truncated, of an unusable kind or of the wrong size.
        """
        try:
            with open_image(path) as image:
                if self.fit != "exact":
                    # JPEGs much larger than needed are decoded at a fraction of their size.
                    image.draft(None, (self.image_size, self.image_size))
                upright = to_rgb(ImageOps.exif_transpose(image))
        except _DECODING_ERRORS as error:
            raise BadImageError(f"{os.fsdecode(path)}: unreadable image: {error}") from error
        return torch.from_numpy(np.array(self._fitted(upright, path))).permute(2, 0, 1).contiguous()

    def _fitted(self, image: Image.Image, path: str | Path) -> Image.Image:
        size = self.image_size
        if image.size == (size, size):
            return image
        if self.fit == "exact":
            raise BadImageError(
                f"{os.fsdecode(path)}: the image is {image.width}x{image.height} (width x height), expected "
                f"{size}x{size}; fit='crop_long_side' or 'resize_short_side' would resize it"
            )
        resample = INTERPOLATIONS[self.interpolation]
        if self.fit == "stretch":
            return image.resize((size, size), resample)
        short = min(image.size)
        if self.fit == "crop_long_side":
            return _centre_crop(image, short).resize((size, size), resample)
        width, height = (size if side == short else int(size * side / short) for side in image.size)
        return _centre_crop(image.resize((width, height), resample), size)


def _centre_crop(image: Image.Image, side: int) -> Image.Image:
    left, top = (round((length - side) / 2) for length in image.size)
    return image.crop((left, top, left + side, top + side))
