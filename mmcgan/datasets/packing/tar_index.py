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
    """A file of which headers are read, no more at once than they need, each behind the one before it."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        """Return ``size`` bytes, or fewer at the end."""
        if size is None or not 0 <= size <= LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place; not back, where a header says so and reading would not end."""
        if whence == os.SEEK_SET and offset < self._file.tell() - 1:
            raise tarfile.ReadError("a header that leads back")
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
    with open(path, "rb") as content:
        for number, entry in enumerate(_members(content, called)):
            if number >= MOST_FILES:
                raise ValueError(f"{called}: more than {MOST_FILES:,} files in one shard")
            if entry.isreg() and not entry.issparse():
                _note(entry, content.fileno(), found, labels, called)
    if labels and len(found.keys() & labels.keys()) < len(found):
        missing = next(key for key in found if key not in labels)
        raise ValueError(f"{called}: {printable(missing)} has no class ({LABEL}), and others have")
    places = np.array(list(found.values()), dtype=np.int64).reshape(-1, 2)
    classes = np.array([labels[key] for key in found], dtype=np.int64) if labels else None
    return TarIndex(places[:, 0], places[:, 1], classes)


def _members(content: io.BufferedReader, called: str) -> Iterator[tarfile.TarInfo]:
    """Yield the members of a tar file; raise ValueError whatever its headers make of their reader."""
    try:
        # "r:" refuses compression, which cannot be entered in the middle
        with tarfile.open(fileobj=_Headers(content), mode="r:") as file:
            yield from file
    except Exception as error:  # what is raised where a member is looked at does not pass through here
        raise ValueError(f"{called}: not a tar file without compression ({error})") from error


def _require_within(entry: tarfile.TarInfo, file: int, called: str) -> None:
    """Raise ValueError unless the bytes of a member lie in the file."""
    if entry.size < 0 or entry.offset_data + entry.size > os.fstat(file).st_size:
        raise ValueError(f"{called}: torn: {printable(entry.name)} reaches beyond the end of the file")


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
    if ending in (*SUFFIXES, LABEL):
        _require_within(entry, file, called)
    if ending in SUFFIXES:
        if key in found:
            raise ValueError(f"{called}: two images are called {printable(key)}")
        found[key] = (entry.offset_data, entry.size)
    elif ending == LABEL:
        text = os.pread(file, min(entry.size, LONGEST_LABEL), entry.offset_data).strip()
        if entry.size > LONGEST_LABEL or not text.isdigit() or len(text) > 9:
            raise ValueError(f"{called}: {printable(entry.name)}: a class is a whole number, got {text!r}")
        labels[key] = int(text)
