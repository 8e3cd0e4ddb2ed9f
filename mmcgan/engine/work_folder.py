"""One run at a time in a work folder: a lock that dies with the process that holds it."""

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

import torch.distributed as torch_dist

from mmcgan.distributed import is_initialized

try:
    import fcntl
except ImportError:  # Windows has no flock; torch's gloo training there is no target of ours
    fcntl = None  # type: ignore[assignment]

FILE = ".lock"
#: what file systems answer that cannot lock
CANNOT = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)

_held: dict[Path, FolderLock] = {}


class FolderInUseError(FileExistsError):
    """Another process works in the folder; the message names it."""


class FolderLock:
    """``flock`` on a file in a folder. The system releases it when the process ends, however that happens.

    Works between processes of one machine on any local file system, and between machines on network file
    systems that carry ``flock`` (NFS does on Linux). Children that are forked let go of it, so that a
    loader's worker does not keep the folder of a run that was killed.

    Args:
        folder: made if needed.

    Raises:
        FolderInUseError: another process holds it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        self.users = 1
        self._file: Any = None
        self.folder.mkdir(parents=True, exist_ok=True)
        file = open(self.folder / FILE, "a+")  # noqa: SIM115
        try:
            self._lock(file)
        except BaseException:
            file.close()
            raise
        self._file = file
        file.seek(0)
        file.truncate()
        json.dump(_holder(), file)
        file.flush()

    def _lock(self, file: Any) -> None:
        if fcntl is None:
            return _warn(self.folder, "this system has no flock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise FolderInUseError(
                f"{self.folder} is in use by {_described(file.read())}. Wait for it, stop it, or choose "
                "another --work-dir"
            ) from None
        except OSError as error:
            if error.errno not in CANNOT:
                raise
            return _warn(self.folder, error.strerror or str(error))
        return None

    def release(self) -> None:
        """Let others work in the folder."""
        self.users -= 1
        if self.users == 0:
            _held.pop(self.folder, None)
            self.forget()

    def forget(self) -> None:
        """Close the file; the lock is gone once all processes that inherited it have."""
        if self._file is not None:
            self._file.close()
            self._file = None


def lock_folder(folder: str | Path) -> FolderLock:
    """Return the lock of a work folder; a process that holds it already shares it with itself.

    Raises:
        FolderInUseError: another process holds it; the message names it.
        OSError: the folder cannot be written.
    """
    key = Path(folder).resolve()
    if key in _held:
        _held[key].users += 1
    else:
        _held[key] = FolderLock(key)
    return _held[key]


@contextlib.contextmanager
def held_folder(folder: str | Path) -> Iterator[None]:
    """Hold a work folder's lock; of several ranks the first one does, for all.

    Raises:
        FolderInUseError: on every rank, if another process holds it.
        OSError: the folder cannot be written.
    """
    lock, fault = None, None
    if not is_initialized() or torch_dist.get_rank() == 0:
        try:
            lock = lock_folder(folder)
        except OSError as error:
            fault = error
    if is_initialized():
        found: list[OSError | None] = [fault]
        torch_dist.broadcast_object_list(found, src=0)
        fault = found[0]
    if fault is not None:
        raise fault
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _forget_all() -> None:
    for lock in _held.values():
        lock.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


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


def _warn(folder: Path, reason: str) -> None:
    warnings.warn(
        f"{folder} cannot be locked ({reason}): make sure yourself that no other run works in it",
        stacklevel=4,
    )
