"""Where the images of a tar shard lie, so that any of them is read without those before it."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmcgan.datasets.decode import SUFFIXES
from mmcgan.text_files import printable

SHARDS_FORMAT = "mmcgan-shards-1"
#: files in one shard, whose headers are in memory together
MOST_FILES = 1 << 18
#: bytes that a header may ask to be read at once: names and comments
LARGEST_HEADER = 1 << 20
LABEL = ".cls"
LONGEST_LABEL = 20  # bytes of a number


class _Headers(io.BufferedIOBase):
    """A file of which headers are read, no more at once than they need."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        """Return ``size`` bytes, or fewer at the end."""
        if size is None or not 0 <= size <= LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()


@dataclass(frozen=True)
class TarIndex:
    """The images of a shard, in the order of the file.

    Attributes:
        offsets: int64 (n,), where the bytes of each begin.
        sizes: int64 (n,), how many there are.
        labels: int64 (n,); None if no image has one.
    """

    offsets: np.ndarray
    sizes: np.ndarray
    labels: np.ndarray | None


def index_of(path: str | Path) -> TarIndex:
    """Return where the images of a tar file are; only headers and labels are read.

    Files that share their name up to its first dot belong together, as in the library ``webdataset``: one
    image, and ``.cls``, a whole number, for its class. Other members are passed over; nothing is unpacked.

    Raises:
        ValueError: no tar file, compressed or torn, two images of one name, a class that is no number, or
            classes of some images only.
    """
    called = printable(path)
    found: dict[str, tuple[int, int]] = {}
    labels: dict[str, int] = {}
    try:
        # "r:" refuses compression, which cannot be entered in the middle
        with open(path, "rb") as content, tarfile.open(fileobj=_Headers(content), mode="r:") as file:
            for entry in _regular_files(file, called):
                _note(entry, content.fileno(), found, labels, called)
    except (tarfile.TarError, EOFError, UnicodeError) as error:
        raise ValueError(f"{called}: not a tar file without compression ({error})") from error
    size = os.path.getsize(path)
    torn = [key for key, (offset, length) in found.items() if offset + length > size]
    if torn:
        raise ValueError(f"{called}: torn: {printable(torn[0])} reaches beyond the end of the file")
    if labels and len(found.keys() & labels.keys()) < len(found):
        missing = next(key for key in found if key not in labels)
        raise ValueError(f"{called}: {printable(missing)} has no class ({LABEL}), and others have")
    places = np.array(list(found.values()), dtype=np.int64).reshape(-1, 2)
    classes = np.array([labels[key] for key in found], dtype=np.int64) if labels else None
    return TarIndex(places[:, 0], places[:, 1], classes)


def _regular_files(file: tarfile.TarFile, called: str) -> Iterator[tarfile.TarInfo]:
    """Yield the members that are files; raise ValueError if there are too many."""
    for number, entry in enumerate(file):
        if number >= MOST_FILES:
            raise ValueError(f"{called}: more than {MOST_FILES:,} files in one shard")
        if entry.isreg() and not entry.issparse():
            yield entry


def _note(
    entry: tarfile.TarInfo,
    file: int,
    found: dict[str, tuple[int, int]],
    labels: dict[str, int],
    called: str,
) -> None:
    """Note a member that is an image or a class."""
    folder, _, name = entry.name.rpartition("/")
    stem, dot, rest = name.partition(".")
    key, ending = f"{folder}/{stem}", f".{rest.rpartition('.')[2].lower()}" if dot else ""
    if ending in SUFFIXES:
        if key in found:
            raise ValueError(f"{called}: two images are called {printable(key)}")
        found[key] = (entry.offset_data, entry.size)
    elif ending == LABEL:
        text = os.pread(file, min(entry.size, LONGEST_LABEL), entry.offset_data).strip()
        if entry.size > LONGEST_LABEL or not text.isdigit() or len(text) > 9:
            raise ValueError(f"{called}: {printable(entry.name)}: a class is a whole number, got {text!r}")
        labels[key] = int(text)
