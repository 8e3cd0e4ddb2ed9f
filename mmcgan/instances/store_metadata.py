"""What ``metadata.json`` says of an instance store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmcgan.closed_world import parse_record
from mmcgan.origin import RefusedConfigError

FORMAT = "mmcgan-instances-1"
METADATA = "metadata.json"
COMMAND = "mmcgan prepare-instances (--images DIR | --dataset CONFIG) --extractor NAME --out STORE"


class StoreError(ValueError):
    """A store that does not fit what it is used for; the message says how to rebuild it."""


def read_store_metadata(root: str | Path) -> dict[str, Any]:
    """Return the metadata of the store ``root``.

    Raises:
        FileNotFoundError: there is no finished store.
        StoreError: the metadata is damaged or of another format.
    """
    path = Path(root) / METADATA
    if not path.is_file():
        partial = Path(f"{root}.partial")
        hint = f" (an unfinished one is in {partial}: run the same command again)" if partial.is_dir() else ""
        where = "" if path.is_absolute() else f" (looked for at {path.absolute()})"
        raise FileNotFoundError(
            f"{path} is missing{where}: no instance store. Make one with\n  {COMMAND}{hint}"
        )
    try:
        metadata = parse_record(path.read_text(encoding="utf-8"), path)
    except (RefusedConfigError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path}: damaged metadata ({error}); build the store again:\n  {COMMAND}"
        ) from error
    if metadata.get("format") != FORMAT:
        raise StoreError(f"{path}: not the metadata of an instance store of format {FORMAT!r}")
    for fault in _faults(metadata):
        raise StoreError(f"{path}: damaged metadata ({fault}); build the store again:\n  {COMMAND}")
    return metadata


def _faults(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not as ``prepare-instances`` writes it."""
    for key in ("size", "dim", "k", "num_classes", "flip"):
        value = metadata.get(key)
        if not isinstance(value, int) or value < (1 if key in ("size", "dim", "k") else 0):
            yield f"{key} is {value!r}, not a number of anything"
    classes = metadata.get("classes")
    if classes is not None and not (isinstance(classes, list) and all(isinstance(x, str) for x in classes)):
        yield "classes are no list of names"
    files, extractor = metadata.get("files"), metadata.get("extractor")
    if not isinstance(files, Mapping) or not all(isinstance(entry, Mapping) for entry in files.values()):
        yield "files is no list of files"
    elif any(Path(name).name != name for name in files):
        yield "files lie outside the folder"
    if not isinstance(extractor, Mapping) or not isinstance(extractor.get("describe"), Mapping):
        yield "the extractor is not described"
    if not isinstance(metadata.get("dataset"), Mapping):
        yield "the data set is not described"


def sealed_text(extractor: Mapping[str, Any]) -> str:
    """Return the text of an extractor's config that the seal of a store is of."""
    return json.dumps(extractor, sort_keys=True)
