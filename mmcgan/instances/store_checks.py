"""Whether the arrays of an instance store are what its metadata says, and what of it may be shown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.instances.arrays import RowArray
from mmcgan.instances.store_metadata import COMMAND, StoreError


def check_tables(
    metadata: Mapping[str, Any], features: RowArray, mirrored: RowArray | None, neighbours: RowArray
) -> None:
    """Check that the tables are of the shape that is stated, and that each neighbour is an image.

    Raises:
        StoreError: names the file.
    """
    size, dim, k = (metadata[key] for key in ("size", "dim", "k"))
    for table, width in ((features, dim), (mirrored, dim), (neighbours, k)):
        if table is not None and tuple(table.shape) != (size, width):
            raise StoreError(f"{table.path}: {table.shape}, the metadata says {(size, width)}")
    _check_limits(neighbours.path, *neighbours.limits(), size - 1)


def finite_rows(table: RowArray, index: Tensor) -> Tensor:
    """Return the rows of a table of features at ``index``, int64 (n,), as float32 (n, F).

    Raises:
        StoreError: one holds NaN or an infinite value; names the file and the row. A table may be larger
            than the memory, so that rows are looked at when they are asked for.
    """
    rows = table.rows(index).float()
    bad = (~torch.isfinite(rows).all(dim=1)).nonzero().flatten()
    if len(bad):
        raise StoreError(f"{table.path}: the features of image {int(index[bad[0]])} are NaN or infinite")
    return rows


def check_rows(path: Path, found: Tensor, size: int, num_classes: int) -> None:
    """Check a list of images or classes of a store: how many there are, and that each of them exists.

    Raises:
        StoreError: names the file.
    """
    counts = {"labels": size, "class_order": size, "class_starts": num_classes + 1}
    most = {"labels": num_classes - 1, "class_starts": size}.get(path.stem, size - 1)
    if len(found) != counts.get(path.stem, len(found)) or not len(found):
        raise StoreError(f"{path}: {len(found)} entries, which does not fit {size} images")
    _check_limits(path, int(found.min()), int(found.max()), most)
    if path.stem == "class_starts" and (found[0] != 0 or found[-1] != size or bool((found.diff() < 0).any())):
        raise StoreError(f"{path}: must begin with 0, not fall and end with {size}, the number of images")


def _check_limits(path: Path, low: int, high: int, most: int) -> None:
    if low < 0 or high > most:
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
