"""Opening a picture: of the formats that we mean, whatever its name says."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

#: Pillow's names of formats that its own decoders read. Others are programs (EPS, which starts Ghostscript),
#: containers that start helpers, or so rare that nobody maintains their decoders.
FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "DIB", "PPM", "TIFF", "GIF", "AVIF", "JPEG2000")


def known_formats() -> list[str]:
    """Return those of :data:`FORMATS` that this Pillow can read."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def open_image(file: str | Path | IO[bytes]) -> Image.Image:
    """Return ``PIL.Image.open`` of a file, by its content one of :data:`FORMATS`; pixels are not decoded yet.

    Raises:
        UnidentifiedImageError: another format, or no picture; an OSError.
        OSError: it cannot be read.
    """
    try:
        return Image.open(file, formats=known_formats())
    except UnidentifiedImageError as error:
        raise UnidentifiedImageError(
            f"cannot identify it as one of the formats that are read: {', '.join(FORMATS)}"
        ) from error
