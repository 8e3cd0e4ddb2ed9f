"""The index beside exported weights: what each file holds, by name."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import Content, write_file
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.locks import InUseError, Lock, lock
from mmcgan.text_files import printable, read_json
from mmcgan.waiting import wait_while_alive

INDEX = "index.json"
WHAT = "an index of exported weights"
#: what every entry says as texts; a file without them is somebody else's
STATED = ("file", "kind", "sha256")
#: an index is held while one file of weights is written
PATIENCE, POLL_SECONDS = 120.0, 0.05

# locks of files are between processes
_ALONE = threading.Lock()


def read_export_index(out: Path) -> dict[str, Any]:
    """Return the index beside a file of exported weights, {} if there is none yet.

    Raises:
        ValueError: what is there is another file of that name, or is damaged.
    """
    path = out.parent / INDEX
    index = read_json(path, WHAT) if path.exists() else {}
    for name, entry in index.items():
        said = entry if isinstance(entry, dict) else {}
        lacking = [key for key in STATED if not isinstance(said.get(key), str)]
        if lacking:
            raise ValueError(
                f"{printable(path)}: not {WHAT}: its {name!r} has no {lacking[0]}. Every export beside it is "
                "entered there: move that file, or export to another folder"
            )
    return dict(index)


def write_with_entry(
    out: Path, content: Content, facts: Mapping[str, Any], kind: str, command: str | None, licence: str | None
) -> dict[str, Any]:
    """Write exported weights, add them to the index beside them and return the entry.

    Both or neither: weights that cannot be entered are removed, so that they can be exported again.

    Args:
        out: ``NAME.safetensors``, which is not there yet.
        content: of the file.
        facts: what else the entry says.
        kind: of the weights.
        command, licence: see :func:`mmcgan.zoo.models.export_weights`.

    Raises:
        InUseError: another process has held the index for very long.
        OSError: the place cannot be written.
        ValueError: the index beside it is none.
    """
    with _held_index(out):
        read_export_index(out)
        write_file(out, content)
        try:
            return _entered(out, facts, kind, command, licence)
        except BaseException:
            out.unlink()
            raise


def enter_in_index(
    out: Path, facts: Mapping[str, Any], kind: str, command: str | None, licence: str | None
) -> dict[str, Any]:
    """Add exported weights that are there to the index beside them and return the entry.

    Raises:
        see :func:`write_with_entry`.
    """
    with _held_index(out):
        return _entered(out, facts, kind, command, licence)


def _entered(
    out: Path, facts: Mapping[str, Any], kind: str, command: str | None, licence: str | None
) -> dict[str, Any]:
    index = read_export_index(out)
    index[out.stem] = {
        **facts,
        "kind": kind,
        "file": out.name,
        "sha256": file_hash(out),
        "license": licence,
        "command": command or "",
    }
    write_file(out.parent / INDEX, json.dumps(index, indent=2, sort_keys=True) + "\n")
    return index[out.stem]


def _waited_for(index: Path) -> Lock:
    found: list[Lock] = []

    def take() -> Lock:
        return lock(index.with_name(f".{INDEX}.lock"), index, "choose another folder")

    def free() -> bool:
        with suppress(InUseError):
            found.append(take())
        return bool(found)

    def changed() -> float:
        return index.stat().st_mtime if index.exists() else 0.0

    with suppress(TimeoutError):
        wait_while_alive(free, changed, f"{index} is in use", POLL_SECONDS, PATIENCE)
    return found[0] if found else take()  # whose error names the holder


@contextmanager
def _held_index(out: Path) -> Iterator[None]:
    """Wait until no other process changes the index, and keep others from it meanwhile.

    Raises:
        InUseError: another process has held it for very long; the message names it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with _ALONE:
        held = _waited_for(out.parent.resolve() / INDEX)
        try:
            yield
        finally:
            held.release()
