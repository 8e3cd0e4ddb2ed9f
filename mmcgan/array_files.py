"""``.npy`` and ``.npz`` files of others: numbers of a known kind and shape, or a clear error.

A header may name Python objects, be megabytes long or promise more elements than the file has bytes; a
member of an ``.npz`` may unpack to more than the machine holds. Arrays are mapped first, so that the size of
the file is compared with its header before any memory is taken, and nobody is advised to execute a file to
read it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

#: kinds of elements: booleans, integers with and without sign, floats
NUMBERS, INTEGERS, FLOATS = "biuf", "iu", "f"
#: members of an archive unpack into memory: a covariance of 8,192 features is half a gigabyte
LARGEST_MEMBER = 1 << 30
WIDEST = 8  # bytes of an element; torch has no wider numbers


class ArrayFileError(ValueError):
    """A file that holds no array of the wanted kind; the message names it."""


def map_array(path: str | Path, kinds: str = NUMBERS, dims: int | None = None) -> np.memmap:
    """Return the array in a ``.npy`` file as a read-only memory map.

    Args:
        path: the file.
        kinds: letters of :attr:`numpy.dtype.kind` that the elements may be of.
        dims: number of dimensions; any by default.

    Raises:
        FileNotFoundError: no such file.
        ArrayFileError: damaged, of other elements or dimensions, or not numbers at all.
    """
    try:
        with np.errstate(over="raise"):  # sizes beyond what a machine can count
            found = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # damage surfaces as whatever NumPy's parser of headers trips over
        if isinstance(error, OSError) and error.filename is not None:  # no such file, or not to be opened
            raise
        raise ArrayFileError(f"{path}: not a readable NumPy array ({_reason(error)})") from error
    if not isinstance(found, np.memmap):
        raise ArrayFileError(f"{path}: an archive, not one NumPy array")
    _check(found, str(path), kinds, dims)
    return found


def read_array(path: str | Path, kinds: str = NUMBERS, dims: int | None = None) -> np.ndarray:
    """Return the array in a ``.npy`` file, in memory; arguments and errors as of :func:`map_array`."""
    return native(np.array(map_array(path, kinds, dims)))


def read_arrays(path: str | Path, names: Sequence[str], kinds: str = NUMBERS) -> list[np.ndarray]:
    """Return the named arrays of a ``.npz`` file.

    Raises:
        FileNotFoundError: no such file.
        ArrayFileError: no such archive, a name that is missing, or a member that is damaged, too large or of
            other elements.
    """
    with open(path, "rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return [_member(archive, path, name, kinds) for name in names]
        except ArrayFileError:
            raise
        except Exception as error:  # damage surfaces as whatever unpacking trips over
            raise ArrayFileError(f"{path}: not a readable NumPy archive ({_reason(error)})") from error


def _member(archive: zipfile.ZipFile, path: str | Path, name: str, kinds: str) -> np.ndarray:
    try:
        size = archive.getinfo(f"{name}.npy").file_size
    except KeyError as error:
        raise ArrayFileError(f"{path}: no array {name!r} in this archive") from error
    if size > LARGEST_MEMBER:
        raise ArrayFileError(f"{path}: array {name!r} would unpack to {size:,} bytes")
    with archive.open(f"{name}.npy") as file:
        content = file.read(size + 1)
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # as above
        raise ArrayFileError(f"{path}: array {name!r} is not readable ({_reason(error)})") from error
    _check(found, f"{path}: array {name!r}", kinds, None)
    return native(found)


def _check(found: np.ndarray, what: str, kinds: str, dims: int | None) -> None:
    if found.dtype.kind not in kinds or found.dtype.itemsize > WIDEST:
        raise ArrayFileError(f"{what}: its elements are {found.dtype}, not {_named(kinds)}")
    if dims is not None and found.ndim != dims:
        raise ArrayFileError(f"{what}: its shape is {found.shape}, not one of {dims} dimensions")


def native(found: np.ndarray) -> np.ndarray:
    """Return an array with its bytes in the order of this machine, which torch asks for."""
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def _named(kinds: str) -> str:
    return {FLOATS: "floats", INTEGERS: "whole numbers"}.get(kinds, "numbers")


def _reason(error: BaseException) -> str:
    """Return why, in one line, without NumPy's advice to execute the file."""
    text = " ".join(str(error).split())
    if "pickle" in text or "Python objects" in text:
        return "it holds Python objects or a header of excessive length; neither is ever loaded"
    return text[:200] or type(error).__name__
