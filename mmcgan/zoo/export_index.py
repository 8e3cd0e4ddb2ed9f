"""The index beside exported weights: what each file holds, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.text_files import read_json


def enter_in_index(
    out: Path, facts: Mapping[str, Any], kind: str, command: str | None, licence: str | None
) -> dict[str, Any]:
    """Add exported weights to the index beside them and return the entry."""
    index_path = out.parent / "index.json"
    index = read_json(index_path, "an index of exported weights") if index_path.exists() else {}
    index[out.stem] = {
        **facts,
        "kind": kind,
        "file": out.name,
        "sha256": file_hash(out),
        "license": licence,
        "command": command or "",
    }
    write_file(index_path, json.dumps(index, indent=2, sort_keys=True) + "\n")
    return index[out.stem]
