"""A run's sample grids, one after another."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mmcgan.films import encode_film

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
        OSError: it cannot be read.
        ValueError: far more pixels than a grid has.
    """
    try:
        with Image.open(file, formats=("PNG",)) as picture:
            return np.asarray(picture.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise ValueError(f"{file}: {error}") from error


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
