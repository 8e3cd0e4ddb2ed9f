"""What a file is that holds no weights, told by how it begins: so that a wrong file is called what it is."""

from __future__ import annotations

import pickletools
import zipfile
from pathlib import Path

#: how a file begins -> what it is
BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ", "compressed with xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x89HDF", "an HDF5 file (Keras, MATLAB)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet table"),
    (b"GGUF", "a GGUF file"),
)
EMPTY_ZIP = b"PK\x05\x06"
WEBP = (b"RIFF", b"WEBP")
#: what a tar archive has at this place (POSIX)
TAR, TAR_AT = b"ustar", 257
#: how pickles begin that are written as text (protocols 0 and 1)
TEXT_PICKLES = b"(]}cdlI"
LOOKED_AT, LARGEST_HEADER = 4096, 100_000_000


def unlike_weights(path: str | Path) -> str:
    """Return what a file is if it can hold no weights, such as ``"a PNG picture"``; "" if it may.

    Args:
        path: a file or folder that is there.
    """
    path = Path(path)
    if path.is_dir():
        return "a folder"
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
    if not start:
        return "empty"
    if start[TAR_AT : TAR_AT + len(TAR)] == TAR:
        return "a tar archive; unpack it first"
    named = next((kind for beginning, kind in BEGINNINGS if start.startswith(beginning)), "")
    if start.startswith(WEBP[0]) and start[8:12] == WEBP[1]:
        return "a WebP picture"
    if start.startswith((b"PK\x03\x04", EMPTY_ZIP)):
        return _kind_of_zip(path)
    safe = is_safetensors(start)
    if safe and path.suffix != ".safetensors":
        return "a safetensors file by another name; call it .safetensors"
    return named or ("" if safe else _kind_of_text(path, start))


def is_safetensors(start: bytes) -> bool:
    """Return whether a file that begins so is one of safetensors: a length, and a JSON table of it."""
    length = int.from_bytes(start[:8], "little")
    return len(start) > 9 and start[8:10] in (b'{"', b"{ ") and length < LARGEST_HEADER


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ""  # cut off or damaged: said by whoever reads it
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return ""
    inside = f", but {names[0]}" if names else ", and nothing else"
    return f"a zip archive that torch has not written (it has no data.pkl{inside})"


def _kind_of_text(path: Path, start: bytes) -> str:
    """Return what a file of printable characters is; "" for other bytes, and for a pickle in text."""
    try:
        text = start.decode("utf-8") if len(start) < LOOKED_AT else start.decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return ""
    if any(character < " " and character not in "\t\n\r\f" for character in text):
        return ""
    if start[:1] in (bytes([byte]) for byte in TEXT_PICKLES) and _is_pickle(path):
        return ""
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith(("{", "[")):
        return "a JSON file"
    if stripped.lower().startswith(("<!doctype html", "<html")):
        return "a web page, as a failed download leaves one"
    if stripped.startswith("version https://git-lfs"):
        return "a pointer of Git LFS, without the file itself (git lfs pull fetches it)"
    return "a text file"


def _is_pickle(path: Path) -> bool:
    """Return whether a file can be followed to its end as a pickle; nothing of it is built."""
    try:
        with path.open("rb") as file:
            return all(operation is not None for operation, _, _ in pickletools.genops(file))
    except (ValueError, LookupError, OverflowError):
        return False


def why_unreadable(path: str | Path, error: Exception) -> str:
    """Return what a file is that a reader of safetensors refused, or else what the reader said."""
    kind = unlike_weights(path)
    return f"it is {kind}" if kind else str(error)
