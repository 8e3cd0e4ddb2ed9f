"""Small weights that ship with the package, and the index that says where each came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.hashing import file_hash
from mmcgan.plugin_files import WEIGHTS, folders
from mmcgan.suggestions import nearest

FOLDER = Path(__file__).parent
INDEX = FOLDER / "index.json"


def read_index(kind: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the records of the shipped weights by name, all or those of one ``kind``.

    Those of plugins too (entry points ``mmcgan.weights``), as ``name``, or ``plugin.name`` where that is
    taken.
    """
    found = own_index(kind)
    for plugin, folder in folders(WEIGHTS).items():
        for name, record in _read(folder / INDEX.name, kind).items():
            found[f"{plugin}.{name}" if name in found else name] = {**record, "folder": str(folder)}
    return found


def own_index(kind: str | None = None) -> dict[str, dict[str, Any]]:
    """Return :func:`read_index` of what comes with mmcgan itself."""
    return _read(INDEX, kind)


def _read(index: Path, kind: str | None) -> dict[str, dict[str, Any]]:
    records = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}
    return {name: record for name, record in records.items() if kind in (None, record["kind"])}


def weight_path(name: str, kind: str | None = None) -> Path:
    """Return the file of the shipped weights ``name`` after checking its SHA-256.

    Raises:
        KeyError: no weights of that name ship; the message suggests names.
        FileNotFoundError: the file is missing from the installation.
        ValueError: the file is damaged.
    """
    records = read_index(kind)
    if name not in records:
        raise KeyError(f"no shipped weights named {name!r}.{nearest(name, list(records))}")
    path = Path(records[name].get("folder", FOLDER)) / records[name]["file"]
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the shipped weights {name!r} are missing; reinstall mmcgan")
    found = file_hash(path)
    if found != records[name]["sha256"]:
        raise ValueError(
            f"{path}: SHA-256 is {found}, the index says {records[name]['sha256']}; "
            f"the file is damaged, reinstall mmcgan or remake it: {records[name]['command']}"
        )
    return path
