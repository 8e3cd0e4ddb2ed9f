"""Locks of files and folders that die with the process that holds them, and name it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None  # type: ignore[assignment]

#: what file systems answer that cannot lock
CANNOT = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
#: file systems, and options of theirs, whose locks may be seen on one machine only (measured with bindfs: two
#: mounts of one folder without lock forwarding both get the lock)
DOUBTFUL_KINDS, DOUBTFUL_OPTIONS = ("fuse", "9p", "smb", "cifs"), ("local_lock=", "localflock", "nolock")
MOUNTS = Path("/proc/self/mountinfo")
#: of launchers: which of a job's processes this is
RANKS = ("RANK", "SLURM_PROCID")

_held: dict[Path, Lock] = {}


class InUseError(FileExistsError):
    """Another process works at the same; the message names it."""


class Lock:
    """``flock`` on a file. The system releases it when the process ends, however that happens.

    Works between processes of one machine on any local file system, and between machines on network file
    systems that carry ``flock`` (NFS does on Linux); of those that may not, a work folder's user is warned,
    see :func:`doubtful`. Children that are forked let go of it, so that a
    loader's worker does not keep what a process had that was killed.

    Args:
        file: that is locked; it says who holds it.
        what: it stands for, in messages.
        instead: what to do while somebody else holds it.
        kept: leave the file there at the end.

    Raises:
        InUseError: another process holds it.
        OSError: the file cannot be written.
    """

    def __init__(self, file: Path, what: Path, instead: str, kept: bool = False) -> None:
        self.file, self.what, self.kept = file, what, kept
        self.users = 1
        self._open: Any = None
        while self._open is None:
            opened = _opened(file)
            try:
                self._lock(opened, instead)
            except BaseException:
                opened.close()
                raise
            if _is_still(opened, file):
                self._open = opened
            else:  # whoever had it has just removed it
                opened.close()
        doubt = doubtful(file) if kept else ""
        if doubt:
            _warn(what, f"on {doubt} other machines may not see a lock")
        # on a full disk it holds all the same, and the work itself says what cannot be written
        with contextlib.suppress(OSError):
            os.ftruncate(self._open.fileno(), 0)
            os.pwrite(self._open.fileno(), json.dumps(_holder()).encode(), 0)

    def _lock(self, opened: Any, instead: str) -> None:
        try:
            why_not = flock(opened)
        except BlockingIOError:
            opened.seek(0)
            raise InUseError(
                f"{self.what} is in use by {_described(opened.read())}. Wait for it, stop it, or {instead}"
            ) from None
        if why_not:
            _warn(self.what, why_not)

    def release(self) -> None:
        """Let others have it, once all of this process are done."""
        self.users -= 1
        if self.users == 0:
            _held.pop(self.file, None)
            if not self.kept:
                with contextlib.suppress(OSError):
                    self.file.unlink()
            self.forget()

    def forget(self) -> None:
        """Close the file; the lock is gone once all processes that inherited it have."""
        if self._open is not None:
            self._open.close()
            self._open = None


def flock(opened: Any) -> str:
    """Lock an open file without waiting, for as long as it is open; return why this place cannot, or "".

    Raises:
        BlockingIOError: another process has it.
        OSError: the file is broken in another way.
    """
    if fcntl is None:
        return "this system has no flock"
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        return error.strerror or str(error)
    return ""


def lock(file: Path, what: Path, instead: str, kept: bool = False) -> Lock:
    """Return the lock of a file, see :class:`Lock`; a process that holds it already shares it with itself.

    Raises:
        InUseError: another process holds it; the message names it.
        OSError: the file cannot be written.
    """
    if file in _held:
        _held[file].users += 1
    else:
        _held[file] = Lock(file, what, instead, kept)
    return _held[file]


@contextlib.contextmanager
def held_output(path: Path, what: str) -> Iterator[None]:
    """Keep other processes from writing the same file or folder meanwhile.

    The lock is a hidden file beside it, which is gone afterwards; so are folders that were made for it and in
    which nothing has come to lie. Of a distributed job's processes the first one does it for all.

    Args:
        path: what is written; it need not be there.
        what: how to call it in messages, such as ``--out``.

    Raises:
        InUseError: another process writes it; the message names it.
        OSError: the place cannot be written.
    """
    if any(os.environ.get(name, "0") != "0" for name in RANKS):
        yield
        return
    place = Path(os.path.realpath(path.expanduser()))
    made = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = lock(place.with_name(f".{place.name}.lock"), path, f"choose another {what}")
        try:
            yield
        finally:
            held.release()
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _forget_all() -> None:
    for held in _held.values():
        held.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def doubtful(file: Path, mounts: Path = MOUNTS) -> str:
    """Return the kind of file system a file is on, if locks there may hold on this machine only; else "".

    Args:
        file: whose folder is there.
        mounts: the system's table of them.
    """
    try:
        lines = [line.split(" ") for line in mounts.read_text(errors="replace").splitlines()]
    except OSError:
        return ""
    place, found = file.resolve(), ("", "", "")
    for fields in lines:
        point = fields[4].encode().decode("unicode_escape")
        if place.is_relative_to(point) and len(point) >= len(found[0]):
            after = fields.index("-")
            found = point, fields[after + 1], ",".join(fields[after + 3 :])
    _, kind, options = found
    local = any(
        part.startswith(DOUBTFUL_OPTIONS) and part != "local_lock=none" for part in options.split(",")
    )
    return kind if kind.startswith(DOUBTFUL_KINDS) or local else ""


def _opened(file: Path) -> Any:
    """Return a lock's file, open; another machine's removal of one is noticed late by some file systems."""
    for wait in (0.1, 0.3):
        try:
            return open(file, "a+")
        except FileNotFoundError:
            if not file.parent.is_dir():
                raise
            time.sleep(wait)
    return open(file, "a+")


def _is_still(opened: Any, file: Path) -> bool:
    """Return whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(opened.fileno()), file.stat())
    except FileNotFoundError:
        return False


def _holder() -> dict[str, Any]:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:300]
    return dict(
        process=os.getpid(),
        host=socket.gethostname(),
        since=time.strftime("%Y-%m-%d %H:%M:%S"),
        command=command,
    )


def _described(text: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        holder = json.loads(text)
        return (
            f"process {holder['process']} on {holder['host']} since {holder['since']} ({holder['command']})"
        )
    return "another process"


def _warn(what: Path, reason: str) -> None:
    warnings.warn(
        f"{what} cannot be locked ({reason}): make sure yourself that no other run works in it",
        stacklevel=5,
    )
