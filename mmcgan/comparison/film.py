"""A run's sample grids, one after another."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from mmcgan.films import encode_film
from mmcgan.text_files import printable

#: frames and longer side in pixels of the film on a page, and bytes of it at most
FRAMES, SIDE, BYTES = 36, 720, 4_000_000
#: milliseconds that a frame and the last one are shown
FRAME, LAST = 250, 1500
QUALITY = 85


def grids_of(work_dir: Path) -> list[Path]:
    """Return the pictures that a run has drawn of its samples, in order of iteration."""
    return sorted((work_dir / "samples").glob("iter_*.png"))


def read_grid(file: Path) -> np.ndarray:
    """Return a grid as uint8 (H, W, 3).

    Raises:
        OSError: the file cannot be opened.
        ValueError: its content cannot be read, or has far more pixels than a grid; names it.
    """
    try:
        with Image.open(file, formats=("PNG",)) as picture:
            return np.asarray(picture.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise ValueError(f"{printable(file)}: {error}") from error
    except Exception as error:  # of broken pictures Pillow raises anything
        if isinstance(error, OSError) and error.filename is not None:
            raise
        reason = "no PNG" if isinstance(error, UnidentifiedImageError) else " ".join(str(error).split())
        raise ValueError(f"{printable(file)}: a picture of samples that cannot be read ({reason})") from error


def sound_grids(files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Return at most :data:`FRAMES` grids that can be read, and a sentence about each other one.

    They are evenly spaced, the newest that can be read among them. A run that was killed, or a full disk,
    leaves half a picture, which is no reason to show nothing of the others.

    Args:
        files: in order.
    """
    left, sentences = list(files), []
    while left and (trouble := _trouble(left[-1])):
        sentences.append(trouble)
        left.pop()
    sound = []
    for file in spaced(left):
        if trouble := _trouble(file):
            sentences.append(trouble)
        else:
            sound.append(file)
    return sound, sentences


def _trouble(file: Path) -> str:
    try:
        read_grid(file)
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def spaced(files: Sequence[Path], count: int = FRAMES) -> list[Path]:
    """Return at most ``count`` files, the first and the last among them."""
    if len(files) <= count:
        return list(files)
    return [files[round(place * (len(files) - 1) / (count - 1))] for place in range(count)]


def page_film(files: Sequence[Path]) -> tuple[bytes, list[Path]]:
    """Return an animated WebP of grids, small enough for a page, and the files that it shows.

    Grids of another size than the last one, of before something was changed on the way, are left out.

    Args:
        files: in order, at least one.
    """
    chosen = spaced(files)
    frames = {file: _shrunk(Image.fromarray(read_grid(file)), SIDE) for file in chosen}
    size = frames[chosen[-1]].size
    shown = [file for file in chosen if frames[file].size == size]
    side = SIDE
    while True:
        pictures = [_shrunk(frames[file], side) for file in shown]
        # the end is looked at longest
        film = encode_film(pictures, "WEBP", FRAME, LAST, {"quality": QUALITY, "method": 2})
        if len(film) <= BYTES or side < SIDE // 8:
            return film, shown
        side //= 2


def _shrunk(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(length * scale)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def still(file: Path) -> bytes:
    """Return a grid as a WebP without loss, or with some where it is large."""
    picture = _shrunk(Image.fromarray(read_grid(file)), 2 * SIDE)
    for options in ({"lossless": True}, {"quality": QUALITY}):
        buffer = io.BytesIO()
        picture.save(buffer, format="WEBP", method=2, **options)
        if buffer.tell() <= BYTES // 4:
            break
    return buffer.getvalue()
