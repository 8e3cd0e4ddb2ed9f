"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

Content = str | bytes | memoryview


def write_file(path: str | Path, content: Content, durable: bool = True) -> None:
    """Write bytes, or text as UTF-8, to ``path``, whole or not at all; processes may do so at once.

    Args:
        path: final name; its folder is made if needed.
        content: what the file is to hold.
        durable: wait until the disk has it, so that it is there after a power cut; for thousands of
            small files that can be made again this takes too long.

    Raises:
        OSError: the disk is full, the folder is not ours, ...; names the file.
    """
    raw = content.encode() if isinstance(content, str) else content
    path = Path(path)
    _replace(path, _own_temporary(path), lambda file: _write_all(file, raw), durable)


def _own_temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Say which file it is that somebody else's code cannot write.

    Raises:
        OSError: the disk is full, ...; names ``path``.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or str(path) in str(error):
            raise
        raise OSError(error.errno, f"cannot write {path}: {error.strerror or error}") from error


def copy_file(source: str | Path, path: str | Path) -> None:
    """Copy a file to ``path``, whole or not at all.

    Raises:
        OSError: the disk is full, ...; names ``path``.
    """
    with open(source, "rb") as read:
        atomic_write(path, lambda file: shutil.copyfileobj(read, file))


def _write_all(file: BinaryIO, content: bytes | memoryview) -> None:
    file.write(content)


def atomic_write(path: str | Path, write: Callable[[BinaryIO], None], at_once: bool = False) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then move it there durably.

    Args:
        path: final name; its folder is made if needed.
        write: receives the open binary file.
        at_once: several processes may do so at the same time. Otherwise the temporary file's name is always
            the same, so that what a kill leaves, which may be large, is written over next time.

    Raises:
        OSError: the disk is full, the folder is not ours, ...; names the file.
    """
    path = Path(path)
    temporary = _own_temporary(path) if at_once else path.with_name(path.name + ".tmp")
    _replace(path, temporary, write, durable=True)


def put_in_place(made: str | Path, path: str | Path) -> None:
    """Give a finished file or folder its final name, durably; a file of that name is replaced.

    What somebody else's code wrote under a name of its own appears so, whole: downloads, traced networks,
    folders of many files.

    Raises:
        OSError: it cannot be moved, such as a folder to a name that is taken.
    """
    made, path = Path(made), Path(path)
    if made.is_file():
        with made.open("rb") as file:
            os.fsync(file.fileno())
    os.replace(made, path)
    _sync_folder(path.parent)


def _replace(path: Path, temporary: Path, write: Callable[[BinaryIO], None], durable: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            _fill(file, write, durable)
        os.replace(temporary, path)
    except OSError as error:
        _remove(temporary)
        reason = error.strerror or str(error)
        raise OSError(
            error.errno, f"cannot write {path}: {reason}; files that were there are whole"
        ) from error
    except BaseException:
        _remove(temporary)
        raise
    if durable:
        _sync_folder(path.parent)


def _fill(file: BinaryIO, write: Callable[[BinaryIO], None], durable: bool) -> None:
    """Let ``write`` fill ``file`` and, if ``durable``, bring it to the disk; raise the system's own error."""
    watched = _Watched(file)
    try:
        write(cast("BinaryIO", watched))
    except RuntimeError:  # torch hides the system's error behind one about its own position
        if watched.fault is None:
            raise
        raise watched.fault from None
    file.flush()
    if durable:
        os.fsync(file.fileno())


class _Watched:
    """A file that remembers why the system could not write to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.fault: OSError | None = None

    def write(self, content: Any) -> int:
        try:
            return self.file.write(content)
        except OSError as error:
            self.fault = error
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; some file systems cannot, and then there is nothing to do."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
