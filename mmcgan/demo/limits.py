"""What one request of the page may cost, and how it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmcgan.datasets.decode import TooManyPixelsError, image_size
from mmcgan.image_files import EncodedImage


class StoppedError(RuntimeError):
    """A request was stopped: by whoever asked, or because it took too long; the message is for them."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one request, and of what waits.

    Attributes:
        upload_bytes: of an uploaded file.
        upload_pixels: of an uploaded picture.
        images: made at once.
        pixels: made at once, of all images together.
        side: longest side of an image of any size, of which a part is rendered.
        seconds: that a request may take.
        queue: requests that wait; more are turned away.
        kept: results that stay on the disk, the newest ones.
    """

    upload_bytes: int = 16 << 20
    upload_pixels: int = 1 << 24
    images: int = 64
    pixels: int = 1 << 23
    side: int = 4096
    seconds: float = 180.0
    queue: int = 16
    kept: int = 48

    def check_count(self, count: int, size: tuple[int, int]) -> int:
        """Return a number of images of a size (height, width) once it is clear that it is allowed.

        Raises:
            ValueError: none, or more than are made at once.
        """
        most = max(1, min(self.images, self.pixels // (size[0] * size[1])))
        if not 1 <= count <= most:
            raise ValueError(
                f"{count} images of {size[0]} x {size[1]}: this page makes 1 to {most} of them at once"
            )
        return count

    def check_upload(self, picture: Path | EncodedImage) -> Path | EncodedImage:
        """Return an uploaded picture, a file or its bytes, once its header says that it may be read.

        Raises:
            ValueError: too many bytes or pixels, or no picture of the formats that are read.
        """
        found = picture.stat().st_size if isinstance(picture, Path) else len(picture.content)
        if found > self.upload_bytes:
            raise ValueError(f"{picture.name} has {found:,} bytes; this page takes {self.upload_bytes:,}")
        try:
            width, height = image_size(picture)
        except TooManyPixelsError as error:
            # its message is for whoever may set the bound; whoever sees the page cannot
            raise ValueError(self._too_many(picture.name, error.found)) from error
        if width * height > self.upload_pixels:
            raise ValueError(
                self._too_many(picture.name, f"{width} x {height} are {width * height:,} pixels")
            )
        return picture

    def _too_many(self, name: str, found: str) -> str:
        return f"{name}: {found}; this page takes pictures of up to {self.upload_pixels:,} pixels"


class Stop:
    """A clock and a switch: what one request is watched by, see :func:`mmcgan.progress.watched`.

    Args:
        seconds: until time is up.
        report: told of progress: what is done, steps done, steps in all.
    """

    def __init__(
        self, seconds: float, report: Callable[[str, int, int], None] = lambda what, done, total: None
    ) -> None:
        self.seconds, self._report = seconds, report
        self._end = time.monotonic() + seconds
        self._asked = threading.Event()

    def ask(self) -> None:
        """Stop at the next step; from any thread."""
        self._asked.set()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Note a step.

        Raises:
            StoppedError: it was asked to stop, or time is up.
        """
        if self._asked.is_set():
            raise StoppedError("stopped")
        if time.monotonic() > self._end:
            raise StoppedError(
                f"this takes longer than the {self.seconds:.0f} s that this page gives a request; ask for "
                "less, or use the command below, which takes all the time it needs"
            )
        self._report(what, done, total)
