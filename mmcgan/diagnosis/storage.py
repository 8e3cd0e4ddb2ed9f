"""Memory, disk, the cache folder and the weights that ship with the package."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from mmcgan.cache import FOLDER_VARIABLE, cache_folder
from mmcgan.diagnosis.finding import BROKEN, NOTE, Finding
from mmcgan.memory import available_memory
from mmcgan.weights import read_index, weight_path

LITTLE_MEMORY = 2e9
LITTLE_DISK = 2e9


def memory_and_disk() -> list[Finding]:
    """Return what is free: memory, shared memory of data-loading workers, and disk where runs are written."""
    available = available_memory()
    if available is None:
        memory = Finding("memory", "unknown")
    else:
        short = "below 2 GB training may be killed" if available < LITTLE_MEMORY else ""
        memory = Finding("memory", f"{available / 1e9:.1f} GB available", NOTE if short else "ok", short)
    folders = {"disk, current folder": Path.cwd(), "disk, temporary files": Path(tempfile.gettempdir())}
    if Path("/dev/shm").is_dir():
        folders["shared memory"] = Path("/dev/shm")
    return [memory, *(_free(name, folder) for name, folder in folders.items())]


def _free(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    little = name.startswith("disk") and free < LITTLE_DISK
    advice = "checkpoints and pictures may not fit" if little else ""
    return Finding(name, f"{free / 1e9:.1f} GB free in {folder}", NOTE if little else "ok", advice)


def cache() -> list[Finding]:
    """Return whether the cache folder can be written; nothing is left behind in it."""
    folder = cache_folder()
    existing = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    advice = f"set {FOLDER_VARIABLE} to a folder that can be written"
    try:
        if not existing.is_dir():
            raise NotADirectoryError(f"{existing} is a file")
        with tempfile.TemporaryFile(dir=existing) as stream:
            stream.write(b"mmcgan")
    except OSError as error:
        return [Finding("cache", f"{folder} cannot be written: {error}", BROKEN, advice)]
    if not os.access(existing, os.W_OK):  # the superuser may write anywhere
        return [Finding("cache", f"{folder} is writable for the superuser only", NOTE, advice)]
    state = "" if folder.exists() else " (made when something is kept)"
    return [Finding("cache", f"{folder}{state}")]


def shipped_weights() -> list[Finding]:
    """Return whether the files that ship are all there and have the hashes of the index."""
    broken = []
    names = list(read_index())
    for name in names:
        try:
            weight_path(name)
        except (OSError, ValueError) as error:
            broken.append(Finding(name, str(error), BROKEN, "reinstall mmcgan"))
    if not names:
        return [Finding("shipped weights", "the index is missing", BROKEN, "reinstall mmcgan")]
    return broken or [Finding("shipped weights", f"{len(names)} files intact")]
