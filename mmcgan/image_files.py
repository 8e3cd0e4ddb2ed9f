"""Opening a picture: of the formats that we mean, whatever its name says."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

#: Pillow's names of the formats that are meant, and the modules that register them. Others are programs (EPS,
#: which starts Ghostscript), start helpers, or are so rare that nobody looks after their decoders.
FORMATS = {
    "PNG": "PngImagePlugin",
    "JPEG": "JpegImagePlugin",  # and MPO, pictures of two lenses in one JPEG
    "WEBP": "WebPImagePlugin",
    "BMP": "BmpImagePlugin",
    "PPM": "PpmImagePlugin",
    "TIFF": "TiffImagePlugin",
    "GIF": "GifImagePlugin",
    "AVIF": "AvifImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
}


@dataclass(frozen=True)
class EncodedImage:
    """A picture of a format of files that does not lie in a file of its own, but in a table, say.

    Attributes:
        name: what to call it in messages.
        content: the bytes that such a file would have.
    """

    name: str
    content: bytes = field(repr=False)


@cache
def readable_formats() -> tuple[str, ...]:
    """Return those of :data:`FORMATS` that this Pillow can read."""
    for module in FORMATS.values():
        with contextlib.suppress(ImportError):  # of a newer Pillow
            importlib.import_module(f"PIL.{module}")
    return tuple(name for name in FORMATS if name in Image.OPEN)


def open_image(file: str | Path | IO[bytes]) -> Image.Image:
    """Return ``PIL.Image.open`` of a file, by its content one of :data:`FORMATS`; pixels are not decoded yet.

    Raises:
        UnidentifiedImageError: another format, or no picture; an OSError.
        OSError: it cannot be read.
    """
    try:
        return Image.open(file, formats=readable_formats())
    except UnidentifiedImageError as error:
        raise UnidentifiedImageError(
            f"it is none of the formats that are read: {', '.join(readable_formats())}"
        ) from error
