"""Whether the arrays of an instance store are what its metadata says, and what of it may be shown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.instances.store_metadata import COMMAND, StoreError


def check_tables(metadata: Mapping[str, Any], *tables: Any) -> None:
    """Check that features, those of mirrored images (or None) and neighbours are of the shape that is stated.

    Raises:
        StoreError: names the file.
    """
    size, dim, k = (metadata[key] for key in ("size", "dim", "k"))
    for table, width in zip(tables, (dim, dim, k), strict=True):
        if table is not None and tuple(table.shape) != (size, width):
            raise StoreError(f"{table.path}: {table.shape}, the metadata says {(size, width)}")


def check_rows(path: Path, found: Tensor, size: int, num_classes: int) -> None:
    """Check a list of images or classes of a store: how many there are, and that each of them exists.

    Raises:
        StoreError: names the file.
    """
    counts = {"labels": size, "class_order": size, "class_starts": num_classes + 1}
    most = {"labels": num_classes - 1, "class_starts": size}.get(path.stem, size - 1)
    if len(found) != counts.get(path.stem, len(found)) or not len(found):
        raise StoreError(f"{path}: {len(found)} entries, which does not fit {size} images")
    if int(found.min()) < 0 or int(found.max()) > most:
        low, high = int(found.min()), int(found.max())
        raise StoreError(f"{path}: entries from {low} to {high}, possible are 0 to {most}")


def shown_command(stated: Any) -> str:
    """Return the command that made a store as it may be shown: words of ours, quoted for a shell.

    A user would paste it, and whoever made the store wrote it.
    """
    try:
        words = shlex.split(stated) if isinstance(stated, str) else []
    except ValueError:
        words = []
    return shlex.join(words) if words[:2] == COMMAND.split()[:2] else COMMAND
