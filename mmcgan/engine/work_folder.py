"""One run at a time in a work folder, on every rank; and the config that lies in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch.distributed as torch_dist
from mmengine.config import Config

from mmcgan.checkpoints.code_text import without_templates
from mmcgan.distributed import is_initialized
from mmcgan.locks import Lock, lock

FILE = ".lock"
_timestamps: list[str] = []


def unique(timestamp: str) -> str:
    """Return ``timestamp``, numbered if this process has started a run in the same second.

    MMEngine names loggers, hubs and visualisers by it and would share them between the runs.
    """
    _timestamps.append(timestamp)
    earlier = _timestamps.count(timestamp) - 1
    return f"{timestamp}_{earlier}" if earlier else timestamp


def lock_folder(folder: str | Path) -> Lock:
    """Return the lock of a work folder, which is made if needed.

    Raises:
        InUseError: another process holds it; the message names it.
        OSError: the folder cannot be written.
    """
    place = Path(folder).resolve()
    place.mkdir(parents=True, exist_ok=True)
    return lock(place / FILE, place, "choose another --work-dir", kept=True)


@contextlib.contextmanager
def held_folder(folder: str | Path) -> Iterator[None]:
    """Hold a work folder's lock; of several ranks the first one does, for all.

    Raises:
        InUseError: on every rank, if another process holds it.
        OSError: the folder cannot be written.
    """
    held, fault = None, None
    if not is_initialized() or torch_dist.get_rank() == 0:
        try:
            held = lock_folder(folder)
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
        if held is not None:
            held.release()


def write_config(config: Config, folder: str | Path, otherwise: str) -> None:
    """Write the config of a run into its folder, where it says the same when it is read.

    Args:
        config: of the run.
        folder: of the run.
        otherwise: name of the file for a config that came from none.
    """
    path = Path(folder) / (Path(config.filename).name if config.filename else otherwise)
    if path.suffix == ".py":
        # what is a template now was text before: a folder may be called after one
        path.write_text(without_templates(config.pretty_text), encoding="utf-8")
    else:
        config.dump(path)
