"""From an image file of any common kind to uint8 RGB of one size; docs/datasets.md has a table of kinds."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmcgan.archives import is_member, read_bytes, read_member
from mmcgan.datasets.base import check_choice, check_image_size
from mmcgan.image_files import EncodedImage, open_image
from mmcgan.text_files import printable

FITS = ("crop_long_side", "resize_short_side", "stretch", "exact")
INTERPOLATIONS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}
#: endings of the names of images that are read
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".webp", ".bmp", ".dib"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff", ".gif", ".avif", ".avifs"),
    *(".jp2", ".j2k", ".jpf", ".jpx", ".jpc", ".j2c"),
)
#: endings of the names of images that are not read, and what they are
UNREAD_SUFFIXES = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".jxl",), "JPEG XL"),
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"), "a raw photograph"),
    **dict.fromkeys((".exr", ".hdr", ".pfm"), "an image of floating-point values"),
    **{
        ".psd": "of Photoshop",
        ".tga": "Targa",
        ".dds": "a texture",
        ".ico": "an icon",
        ".svg": "a drawing of lines",
    },
}
#: a picture: a path, of a file or of a member of a zip archive, or its bytes
Source = str | Path | EncodedImage
#: endings of names of Pillow's formats, where they are not called alike
ENDINGS = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2", "PPM": ".ppm"}
ORIENTATION = 0x0112  # the EXIF tag
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: sets how many pixels an image may have
PIXELS_VARIABLE = "MMCGAN_MAX_PIXELS"
MAX_PIXELS = 1 << 26  # 67 megapixels; decoding takes 4 to 12 bytes each
MAX_BYTES_PER_PIXEL = 16  # of a file; no image needs more
# JPEGs are decoded at a fraction of their size where a small one is wanted
DRAFT_FACTOR = 4


class BadImageError(ValueError):
    """An image file that cannot be used; the message names it."""


class TooManyPixelsError(BadImageError):
    """An image that is larger than allowed.

    Args:
        source: the image.
        found: how large it is, such as ``6,000 x 6,000``.
        most: pixels that are allowed.
    """

    def __init__(self, source: Source, found: str, most: int) -> None:
        self.found = found
        super().__init__(
            f"{name_of(source)}: unreadable image: {found}, {most:,} are allowed; set {PIXELS_VARIABLE} to "
            "allow more"
        )


def max_pixels() -> int:
    """Return how many pixels an image may have: ``$MMCGAN_MAX_PIXELS``, else 67 million.

    Raises:
        ValueError: the variable is no positive whole number.
    """
    given = os.environ.get(PIXELS_VARIABLE)
    if not given:
        return MAX_PIXELS
    if not given.isdigit() or not int(given):
        raise ValueError(f"{PIXELS_VARIABLE}={given!r}: must be a positive whole number of pixels")
    return int(given)


def read_rgb(path: Source, wanted: int | None = None) -> Image.Image:
    """Return an image file as 8-bit RGB, upright by its EXIF orientation; of several pictures the first.

    Args:
        path: the file, or the bytes of one.
        wanted: side that is wanted; a much larger JPEG may be decoded at a fraction of its size, no smaller.

    Raises:
        BadImageError: it is unreadable, truncated, no regular file, too large or of an unusable kind.
    """
    with _checked(path, wanted) as image:
        try:
            image.load()
            turn = TURNS.get(orientation(image))
            upright = to_rgb(image)
            return upright if turn is None else upright.transpose(turn)
        except Exception as error:
            raise _bad(path, error) from error


def image_size(path: Source) -> tuple[int, int]:
    """Return width and height of an image once upright, from its header.

    Raises:
        BadImageError: see :func:`read_rgb`; pixels are not looked at.
    """
    with _checked(path, None) as image:
        width, height = image.size
        # Asking for the orientation may decode an image; of a TIFF, Pillow gives the upright size already.
        if width == height or image.format == "TIFF":
            return width, height
        return (height, width) if orientation(image) in (5, 6, 7, 8) else (width, height)


def open_checked(path: Source) -> Image.Image:
    """Return an image that is opened, not decoded, if its size allows; close it after use.

    Raises:
        BadImageError: see :func:`read_rgb`.
    """
    return _checked(path, None)


def _checked(path: Source, wanted: int | None) -> Image.Image:
    """Open a file and check what its header says, before anything is decoded."""
    limit = max_pixels()
    _let_pillow_open(limit * DRAFT_FACTOR)
    try:
        image = open_image(_bounded(path))
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(path, f"more than {limit:,} pixels", limit) from error
    except Exception as error:
        raise _bad(path, error) from error
    pixels = image.width * image.height
    try:
        if wanted is not None and image.format == "JPEG" and pixels <= limit * DRAFT_FACTOR:
            image.draft(None, (wanted, wanted))
    except Exception as error:
        image.close()
        raise _bad(path, error) from error
    if image.width * image.height > limit:
        image.close()
        raise TooManyPixelsError(path, f"{image.width} x {image.height} are {pixels:,} pixels", limit)
    return image


def _bounded(source: Source) -> str | Path | io.BytesIO:
    """Return what to open, unless it has more bytes than any image of as many pixels as are allowed."""
    most = most_bytes()
    if isinstance(source, EncodedImage):
        check_bytes(len(source.content), most)
        return io.BytesIO(source.content)
    if is_member(source):
        return io.BytesIO(read_member(source, most))
    state = os.stat(source)
    if not stat.S_ISREG(state.st_mode):
        raise OSError("not a regular file")
    check_bytes(state.st_size, most)
    return source


def check_bytes(size: int, most: int) -> None:
    """Raise OSError if a file of an image has more than ``most`` bytes."""
    if size > most:
        raise OSError(
            f"the file has {size:,} bytes, more than any image of as many pixels as are allowed "
            f"({most:,}); set {PIXELS_VARIABLE} to allow more"
        )


def most_bytes() -> int:
    """Return how many bytes a file of an image may have."""
    return max_pixels() * MAX_BYTES_PER_PIXEL


def bytes_of(source: Source) -> tuple[str, bytes]:
    """Return an encoded picture as it is, with the ending of a name that suits its format.

    Raises:
        BadImageError: see :func:`read_rgb`; its header is looked at, its pixels are not.
    """
    with _checked(source, None) as image:
        ending = ENDINGS.get(str(image.format), f".{str(image.format).lower()}")
    try:
        content = source.content if isinstance(source, EncodedImage) else read_bytes(source, most_bytes())
    except OSError as error:
        raise _bad(source, error) from error
    return ending, content


def name_of(source: Source) -> str:
    """Return what to call a picture, as it can be printed."""
    return printable(source.name if isinstance(source, EncodedImage) else source)


def _let_pillow_open(pixels: int) -> None:
    """Raise Pillow's own bound where ours is higher; it refuses twice as many."""
    if Image.MAX_IMAGE_PIXELS is not None and pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = pixels


def _bad(source: Source, error: Exception) -> BadImageError:
    kind = UNREAD_SUFFIXES.get(os.path.splitext(name_of(source))[1].lower())
    hint = f" (it seems to be {kind}: convert it to PNG or JPEG)" if kind else ""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return BadImageError(f"{name_of(source)}: unreadable image: {str(reason) or type(error).__name__}{hint}")


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 if there is none or its tags are broken."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # whatever broken tags do: the pixels are good
        return 1
    return found if isinstance(found, int) else 1


def several_pictures(image: Image.Image) -> bool:
    """Return whether a file has more than one picture; False if it cannot be told."""
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # of what comes behind the first, which alone is used
        return False


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to 8-bit RGB.

    16-bit gray values are divided by 257, transparency is laid over white, gray is replicated, palettes are
    looked up and CMYK is converted. Gamma and colour profiles are not applied.

    Raises:
        ValueError: 32-bit or signed integers or floating-point values, whose range is not known; or a mode
            that cannot be converted.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_wide_integers(image)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        white.alpha_composite(image)
        image = white
    return image.convert("RGB")


def _from_wide_integers(image: Image.Image) -> Image.Image:
    # Pillow scales the values of a PGM to 16 bits and keeps them in 32; a PFM is PPM to it too, of floats
    if not image.mode.startswith("I;16") and not (image.mode == "I" and image.format == "PPM"):
        raise ValueError(f"pixels of mode {image.mode!r} have no known range; save it with 8 or 16 bits")
    values = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")


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

    def __call__(self, path: Source) -> Tensor:
        """Read ``path``, turned upright by its EXIF orientation.

        Raises:
            BadImageError: the file is unreadable, truncated, of an unusable kind or of the wrong size.
        """
        upright = read_rgb(path, None if self.fit == "exact" else self.image_size)
        return torch.from_numpy(np.array(self._fitted(upright, path))).permute(2, 0, 1).contiguous()

    def _fitted(self, image: Image.Image, path: Source) -> Image.Image:
        size = self.image_size
        if image.size == (size, size):
            return image
        if self.fit == "exact":
            raise BadImageError(
                f"{name_of(path)}: the image is {image.width}x{image.height} (width x height), expected "
                f"{size}x{size}; fit='crop_long_side' or 'resize_short_side' would resize it"
            )
        resample = INTERPOLATIONS[self.interpolation]
        if self.fit == "stretch":
            return image.resize((size, size), resample)
        short = min(image.size)
        if self.fit == "crop_long_side":
            return _centre_crop(image, short).resize((size, size), resample)
        width, height = (size if side == short else int(size * side / short) for side in image.size)
        return _resized_centre(image, (width, height), size, resample)


def _resized_centre(
    image: Image.Image, target: tuple[int, int], size: int, resample: Image.Resampling
) -> Image.Image:
    """Return the centre square of ``image`` resized to ``target``."""
    if target[0] * target[1] <= max_pixels():
        return _centre_crop(image.resize(target, resample), size)
    # of a very long image only the pixels that the centre is made of are resized
    corner = [round((length - size) / 2) for length in target]
    scale = [have / get for have, get in zip(image.size, target, strict=True)]
    box = (
        corner[0] * scale[0],
        corner[1] * scale[1],
        (corner[0] + size) * scale[0],
        (corner[1] + size) * scale[1],
    )
    return image.resize((size, size), resample, box=box)


def _centre_crop(image: Image.Image, side: int) -> Image.Image:
    left, top = (round((length - side) / 2) for length in image.size)
    return image.crop((left, top, left + side, top + side))
