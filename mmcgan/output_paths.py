"""Whether what a command is asked to write can be written, found out before any work."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcgan.locks import held_output

#: bytes of a page or picture, at most; larger files are looked at by nobody
LARGEST_MARKED = 1 << 28
#: what stands in pictures of curves and of evaluations, and in the titles of pages
CURVES, EVALUATIONS = "mmcgan: curves", "mmcgan: evaluations"
COMPARISON, REPORT = "Runs compared", ": report"


@dataclass(frozen=True)
class Output:
    """What an argument of a command names that the command writes.

    A file that is there is refused, unless ``--overwrite`` is given: it may be the work of hours.

    Attributes:
        what: how to call it in messages, such as ``--json``.
        folder: it is a folder; otherwise a file; None if the command itself knows which.
        suffixes: endings that a file's name may have; any by default.
        may_be_read: a file that is there already is read in place of being written.
        own: whether a file that is there is what this command writes, from what is kept elsewhere, so that a
            new one may take its place; None where nothing may.
        locks_itself: the command keeps other processes away; otherwise it is kept for it, see :meth:`held`.
    """

    what: str
    folder: bool | None = False
    suffixes: tuple[str, ...] = ()
    may_be_read: bool = False
    locks_itself: bool = False
    own: Callable[[Path], bool] | None = None

    def check(self, value: Any, overwrite: bool | None = None) -> None:
        """Check the argument's value: None, a path, or several of which the last one is meant.

        Args:
            value: the value.
            overwrite: whether files may be replaced; None of a command that has no such option.

        Raises:
            FileExistsError: a file is there that may not be replaced.
            ValueError: it cannot be written.
        """
        path = _meant(value)
        if path is None or (self.may_be_read and Path(path).is_file()):
            return
        if self.folder is None:
            _check_place(Path(path).expanduser().absolute().parent, Path(path), self.what)
        elif self.folder:
            check_output_folder(path, self.what)
        else:
            check_output(path, self.what, self.suffixes)
            self._refuse_existing(Path(path).expanduser(), overwrite)

    def _refuse_existing(self, path: Path, overwrite: bool | None) -> None:
        if overwrite or not path.exists() or (self.own is not None and self.own(path)):
            return
        another = f"choose another {self.what if self.what.startswith('-') else 'name'}"
        way = f"remove it or {another}" if overwrite is None else f"{another} or give --overwrite"
        raise FileExistsError(f"{path} exists; {way}")

    def held(self, value: Any) -> AbstractContextManager[None]:
        """Return what keeps other processes from writing it meanwhile.

        What may be read is shared: whoever comes second writes the same.

        Raises:
            InUseError: another process writes it.
        """
        path = _meant(value)
        if path is None or self.may_be_read or self.locks_itself:
            return nullcontext()
        return held_output(Path(path), self.what)


def says(mark: str) -> Callable[[Path], bool]:
    """Return what tells whether a file has a mark in it that only one command writes."""

    def told(path: Path) -> bool:
        return path.stat().st_size <= LARGEST_MARKED and mark.encode() in path.read_bytes()

    return told


def drawn_by(mark: str, kind: str) -> dict[str, Any]:
    """Return the metadata with which matplotlib writes a mark into a picture, the same at every time.

    Args:
        mark: such as :data:`CURVES`.
        kind: ``png``, ``pdf`` or ``svg``.
    """
    if kind == "png":
        return {"Software": mark}
    return {"Creator": mark, **({"Date": None} if kind == "svg" else {})}


def _meant(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else value


def check_outside(path: str | Path, what: str, folders: Sequence[str | Path]) -> None:
    """Refuse to write where pictures that are written would count as images the next time these are read.

    Args:
        path: what is written, or the folder that it goes to.
        what: how to call it in messages, such as ``--out``.
        folders: of images; archives hold none of what is written.

    Raises:
        ValueError: ``path`` is one of them, or lies in one.
    """
    place = Path(path).expanduser().resolve()
    for folder in map(Path, folders):
        if folder.is_dir() and place.is_relative_to(folder.resolve()):
            beside = os.path.relpath(folder.resolve().parent / place.name)
            raise ValueError(
                f"{what} {path} lies among the images of {folder}, and would be one of them from then on: "
                f"give a place outside, such as {what} {beside}"
            )


def check_output(path: str | Path, what: str, suffixes: Sequence[str] = ()) -> None:
    """Check before any work that a file can be written; nothing is left behind.

    Args:
        path: the file; its folder need not be there yet.
        what: how to call it in messages, such as ``--json``.
        suffixes: endings that its name may have; any by default.

    Raises:
        ValueError: another ending, a folder of that name, or a place that cannot be written.
    """
    path = Path(path).expanduser()
    if suffixes and path.suffix.lower() not in suffixes:
        raise ValueError(f"{what} {path}: the file must be named *{' or *'.join(suffixes)}")
    if path.is_dir():
        raise ValueError(f"{what} {path}: there is a folder of that name")
    _check_place(path.absolute().parent, path, what)
    if path.exists() and not os.access(path, os.W_OK):
        reason = os.strerror(errno.EACCES)
        raise ValueError(f"{what} {path}: cannot be written (the file is there and read-only: {reason})")


def check_output_folder(path: str | Path, what: str) -> None:
    """Check before any work that files can be written into a folder; nothing is left behind.

    Args:
        path: the folder; it need not be there yet.
        what: how to call it in messages, such as ``--out``.

    Raises:
        ValueError: a file of that name, or a place that cannot be written.
    """
    path = Path(path).expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError(f"{what} {path} is a file; choose a folder")
    _check_place(path.absolute(), path, what)


def _check_place(folder: Path, path: Path, what: str) -> None:
    """Check that files can be made in ``folder``, or where it will be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise ValueError(f"{what} {path}: cannot be written ({folder} is a file)")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"{what} {path}: cannot be written in {folder} ({error.strerror})") from error
