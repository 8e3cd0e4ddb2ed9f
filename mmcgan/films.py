"""Pictures one after another, as a GIF or, with the extra ``video``, an MP4."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from mmcgan.checkpoints.atomic import write_file

#: milliseconds that a frame is shown
FRAME = 100
#: seconds, which a GIF has in hundredths and 16 bits
LONGEST_SHOWN = 655


def write_film(
    frames: Sequence[np.ndarray], path: Path, milliseconds: int = FRAME, last: int | None = None
) -> None:
    """Write uint8 frames (H, W, 3) of one size as what the path's ending says.

    Args:
        frames: to show.
        path: ``.gif`` or ``.mp4``.
        milliseconds: that each is shown.
        last: that the last one is shown, which a GIF alone can do; as the others by default.

    Raises:
        ImportError: ``.mp4`` without the extra ``video``.
    """
    if path.suffix.lower() == ".mp4":
        write_file(path, _mp4(frames, milliseconds))
    else:
        pictures = [Image.fromarray(frame) for frame in frames]
        write_file(path, encode_film(pictures, "GIF", milliseconds, last or milliseconds))


def encode_film(
    frames: Sequence[Image.Image],
    kind: str,
    milliseconds: int,
    last: int,
    options: Mapping[str, int] | None = None,
) -> bytes:
    """Return pictures of one size as a film that begins again at its end.

    Args:
        frames: at least one.
        kind: of file, ``GIF`` or ``WEBP``.
        milliseconds, last: that a frame, and the last one, is shown.
        options: of Pillow's writer of this kind.

    Raises:
        ValueError: equal pictures in a row are shown for longer than the file can say.
    """
    first, *others = frames
    buffer = io.BytesIO()
    times = [milliseconds] * len(others) + [last]
    shown = times if others else milliseconds
    saved = {"save_all": True, "append_images": others, "duration": shown, "loop": 0, **(options or {})}
    try:
        first.save(buffer, format=kind, **saved)
    except (struct.error, OverflowError) as error:  # equal pictures are joined, and their times
        raise ValueError(
            f"a {kind} shows no picture for more than {LONGEST_SHOWN} s in all: {error}"
        ) from error
    return buffer.getvalue()


def _mp4(frames: Sequence[np.ndarray], milliseconds: int) -> bytes:
    # the colours of H.264 are stored for two pixels at a time
    even = [(0, length % 2) for length in frames[0].shape[:2]]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        padded = [np.pad(frame, (*even, (0, 0))) for frame in frames]
        video_writer().mimwrite(file, padded, fps=1000 / milliseconds, macro_block_size=1)
        return file.read_bytes()


def video_writer() -> ModuleType:
    """Return ``imageio``, once its encoder is there too.

    Raises:
        ImportError: one of them is not installed; names the extra.
    """
    try:
        import imageio
        import imageio_ffmpeg  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'films (.mp4) need {error.name}: python3 -m pip install "mmcgan[video]"; .gif needs nothing'
        ) from error
    return imageio
