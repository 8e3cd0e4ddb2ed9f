"""Files in zip archives, read in place: a path may go on behind an archive's, as in ``set.zip/cats/1.png``.

Nothing is ever unpacked to the disk. A member is read whole into memory, up to a bound that the caller
states, and members whose names lead out of the archive, links and encrypted ones are not there.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache

from mmcgan.checkpoints.hashing import file_hash, stream_hash
from mmcgan.text_files import printable

ENDING = ".zip"
# not by lower(): some letters become two by it, and places behind them others
_ENDINGS = re.compile(re.escape(ENDING), re.IGNORECASE | re.ASCII)
#: files in one archive; ImageNet has 1.3 million
MOST_MEMBERS = 1 << 22
ENCRYPTED = 1  # a bit of a member's flags

#: what a damaged member surfaces as
UNPACKING = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)

PathLike = str | bytes | os.PathLike[str]


@dataclass(frozen=True)
class Archive:
    """An open archive.

    Attributes:
        file: to read from.
        members: name with forward slashes -> its entry, of files that can be read.
        refused: one line for each other one: which, and why.
    """

    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    refused: list[str]


def split_path(path: PathLike) -> tuple[str, str] | None:
    """Return the archive that a path goes through and the name behind it, '' for itself; None without one."""
    text = os.fsdecode(path)
    for found in _ENDINGS.finditer(text):
        end = found.end()
        if text[end : end + 1] in ("", "/", os.sep) and os.path.isfile(text[:end]):
            return text[:end], text[end:].replace(os.sep, "/").strip("/")
    return None


def is_archive(path: PathLike) -> bool:
    """Return whether a path is that of a zip archive or of a folder in one."""
    found = split_path(path)
    if found is None:
        return False
    archive, inside = found
    return not inside or any(name.startswith(f"{inside}/") for name in open_archive(archive).members)


def is_folder(path: PathLike) -> bool:
    """Return whether a path is that of a folder, of an archive, or of a folder in one."""
    return os.path.isdir(path) or is_archive(path)


def is_member(path: PathLike) -> bool:
    """Return whether a path leads into a zip archive."""
    found = split_path(path)
    return found is not None and bool(found[1])


def open_archive(path: str) -> Archive:
    """Return an archive, opened once in a process while it stays as it is.

    Raises:
        ValueError: it is no zip archive, damaged, or has too many members; names it.
        OSError: it cannot be read.
    """
    state = os.stat(path)
    return _opened(path, state.st_mtime_ns, state.st_size, os.getpid())


@lru_cache(maxsize=8)
def _opened(path: str, changed: int, size: int, process: int) -> Archive:
    """Return an archive; a forked process opens its own, because a place in a file is shared."""
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ValueError(f"{printable(path)}: not a zip archive that can be read ({error})") from error
    entries = file.infolist()
    if len(entries) > MOST_MEMBERS:
        raise ValueError(f"{printable(path)}: {len(entries):,} files, more than {MOST_MEMBERS:,}")
    archive = Archive(file, {}, [])
    for entry in entries:
        if entry.is_dir():
            continue
        reason = _refusal(entry, archive)
        if reason is None:
            archive.members[entry.filename] = entry
        else:
            archive.refused.append(f"{printable(path)}/{printable(entry.filename)}: {reason}")
    return archive


def _refusal(entry: zipfile.ZipInfo, archive: Archive) -> str | None:
    """Return why a member is not taken; None if it is."""
    parts = entry.filename.split("/")
    if "\\" in entry.filename or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        return "its name leads out of the archive"
    if entry.flag_bits & ENCRYPTED:
        return "it is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others state their own memory
        return "it is packed in a way that is not read; pack it with deflate, or not at all"
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "not a regular file"
    return "a second file of this name" if entry.filename in archive.members else None


def member_of(path: PathLike) -> tuple[Archive, zipfile.ZipInfo]:
    """Return the archive and the entry of a path that leads into one.

    Raises:
        FileNotFoundError: no such member.
        ValueError: see :func:`open_archive`.
    """
    found = split_path(path)
    archive = None if found is None else open_archive(found[0])
    if found is None or archive is None or found[1] not in archive.members:
        raise FileNotFoundError(f"{printable(path)}: no such file in the archive")
    return archive, archive.members[found[1]]


def read_member(path: PathLike, most: int) -> bytes:
    """Return the content of a member.

    Args:
        path: of the archive, and on to the member.
        most: bytes that it may have, unpacked.

    Raises:
        FileNotFoundError: no such member.
        OSError: it has more than ``most`` bytes, is damaged, or packed in a way that is not read.
        ValueError: see :func:`open_archive`.
    """
    archive, entry = member_of(path)
    if entry.file_size > most:
        raise OSError(f"it has {entry.file_size:,} bytes, more than the {most:,} that are allowed")
    try:
        with archive.file.open(entry) as stream:
            content = stream.read(most + 1)
    except UNPACKING as error:
        raise OSError(f"it cannot be unpacked ({error})") from error
    if len(content) != entry.file_size:
        raise OSError(f"it has {len(content):,} bytes, where the archive says {entry.file_size:,}")
    return content


def read_bytes(path: PathLike, most: int) -> bytes:
    """Return the content of a file or of a member, up to ``most`` bytes.

    Raises:
        FileNotFoundError: it is not there.
        OSError: it has more, or cannot be read.
    """
    if is_member(path):
        return read_member(path, most)
    with open(path, "rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(f"{printable(path)}: more than the {most:,} bytes that are allowed")
    return content


@dataclass(frozen=True)
class FileState:
    """What the file system says of a file, or of the archive that it is in, with its own size.

    Attributes:
        st_size, st_mtime_ns, st_ctime_ns, st_ino: as in :class:`os.stat_result`.
    """

    st_size: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_ino: int


def state_of(path: PathLike) -> FileState:
    """Return the state of a file or of a member of an archive.

    Raises:
        OSError: it is not there.
    """
    found = split_path(path)
    member = None if found is None or not found[1] else member_of(path)[1]
    state = os.stat(path if found is None or member is None else found[0])
    size = state.st_size if member is None else member.file_size
    return FileState(size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


def content_hash(path: PathLike) -> str:
    """Return the SHA-256 of a file's bytes, or of a member's, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    if not is_member(path):
        return file_hash(path)
    archive, entry = member_of(path)
    try:
        with archive.file.open(entry) as stream:
            return stream_hash(stream)
    except UNPACKING as error:
        raise OSError(f"{printable(path)}: it cannot be unpacked ({error})") from error


def is_file(path: PathLike) -> bool:
    """Return whether a path is that of a file or of a member of an archive."""
    found = split_path(path)
    if found is None or not found[1]:
        return os.path.isfile(path)
    return found[1] in open_archive(found[0]).members
