"""Large arrays on disk: preallocated ``.npy`` files, written by rows and read through memory maps."""

from __future__ import annotations

import math
import mmap
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from mmcgan.array_files import NUMBERS, map_array, native
from mmcgan.checkpoints.atomic import atomic_write, writing

# A mapping is released after this much has been read through it: its pages count as memory of the process.
RELEASE_BYTES = 128 << 20
LOOKED_AT = 1 << 22  # elements that are compared at once


def mapped_bytes() -> int:
    """Return how much of mapped files counts as memory of this process; 0 where the system does not tell."""
    return _statm(2)


def resident_bytes() -> int:
    """Return the memory of this process, mapped files included; 0 where the system does not tell."""
    return _statm(1)


def _statm(column: int) -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[column])
    except OSError:
        return 0
    return pages * mmap.PAGESIZE


class RowArray:
    """A two- or one-dimensional ``.npy`` file whose rows are fetched as tensors.

    Pages that were read are handed back to the system every so often, so that the memory of the process
    does not grow with the file. It can be sent to DataLoader workers: the map is opened where it is used.

    Args:
        path: the file.
        kinds: letters of :attr:`numpy.dtype.kind` that the elements may be of.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a ``.npy`` file, one that holds pickled objects, or elements of another kind.
    """

    def __init__(self, path: str | Path, kinds: str = NUMBERS) -> None:
        self.path, self.kinds = Path(path), kinds
        self._map: Any = None
        self._touched = 0
        if not self.path.is_file():
            raise FileNotFoundError(f"{self.path} is missing")
        self.shape: tuple[int, ...] = self._mapped().shape

    def _mapped(self) -> np.ndarray:
        if self._map is None:
            self._map = map_array(self.path, self.kinds, dims=2)
        return self._map

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> np.dtype:
        """Type of the elements."""
        return self._mapped().dtype

    def rows(self, index: Tensor | slice) -> Tensor:
        """Return a copy of the rows at ``index``, int64 (n,) or a slice, in the file's type."""
        source = self._mapped()
        before = mapped_bytes()
        found = (
            np.array(source[index]) if isinstance(index, slice) else np.take(source, index.numpy(), axis=0)
        )
        self._note(max(found.nbytes, mapped_bytes() - before))
        return torch.from_numpy(native(found))

    def limits(self) -> tuple[int, int]:
        """Return the least and the largest element of a table of whole numbers that has some."""
        step = max(1, LOOKED_AT // max(1, math.prod(self.shape[1:])))
        ends: list[int] = []
        for first in range(0, len(self), step):
            rows = self.rows(slice(first, first + step)).numpy()
            ends += [int(rows.min()), int(rows.max())]
        return min(ends), max(ends)

    def _note(self, count: int) -> None:
        self._touched += count
        if self._touched > RELEASE_BYTES:
            self.release()

    def release(self) -> None:
        """Hand the pages read so far back to the system; they stay in its file cache."""
        self._touched = 0
        mapping = getattr(self._map, "_mmap", None)
        if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}


def allocate(path: Path, shape: tuple[int, ...], dtype: str) -> None:
    """Make a ``.npy`` file of zeros that takes no space until rows are written; keeps an existing one."""
    if path.is_file():
        return
    described = np.lib.format.dtype_to_descr(np.dtype(dtype))
    header = {"descr": described, "fortran_order": False, "shape": shape}

    def fill(file: BinaryIO) -> None:
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize)

    atomic_write(path, fill, at_once=True)


def write_rows(path: Path, start: int, values: Tensor) -> None:
    """Write ``values`` (n, ...) durably to rows ``start``.. of a file made by :func:`allocate`.

    Raises:
        ValueError: type, width or number of rows do not fit the file.
    """
    found = map_array(path)
    array = values.contiguous().numpy()
    fits = found.dtype == array.dtype and found.shape[1:] == array.shape[1:]
    if not fits or start + len(array) > len(found):
        raise ValueError(
            f"{path}: {array.dtype} {array.shape} at row {start} does not fit {found.dtype} {found.shape}"
        )
    offset = found.offset + start * (found.nbytes // max(1, len(found)))
    with writing(path), path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(array.tobytes())
        stream.flush()
        os.fsync(stream.fileno())
