"""Labels of a folder of images in a file, as StyleGAN2-ADA's ``dataset_tool.py`` writes them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcgan.text_files import printable, read_json

LABELS_FILE = "dataset.json"
SHOWN = 3
LARGEST = 1 << 30  # bytes; a million images take some 50 MB
#: as many classes as any labelled set has
MOST_CLASSES = 1 << 20


def read_labels(root: Path, paths: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return the label of every image, and the names of the classes: their numbers.

    The file holds ``{"labels": [[name, label], ...]}``: a path from ``root`` with forward slashes, and a
    whole number from 0 on.

    Args:
        root: the folder with the file.
        paths: of its images, starting with ``root``.

    Raises:
        ValueError: not such a file, labels that are no numbers, images without a label, labels of images that
            are not there, or a number without images.
    """
    file = root / LABELS_FILE
    listed = _entries(file)
    names = [os.path.relpath(path, root).replace(os.sep, "/") for path in paths]
    known = set(names)
    unlabelled = [name for name in names if name not in listed]
    absent = [name for name in listed if name not in known]
    if unlabelled or absent:
        parts = (("without a label in it", unlabelled), ("labelled in it and not there", absent))
        said = "; ".join(f"{len(found)} images are {what}: {_some(found)}" for what, found in parts if found)
        raise ValueError(f"{printable(file)}: {said}")
    labels = [listed[name] for name in names]
    count = max(labels) + 1
    empty = sorted(set(range(count)) - set(labels))
    if empty:
        raise ValueError(
            f"{printable(file)}: labels reach to {count - 1}, but {len(empty)} of them have no image: "
            f"{_some(empty)}; number the classes that there are from 0 on"
        )
    if count < 2:
        raise ValueError(f"{printable(file)}: every image has the label 0; set labelled=False")
    return labels, tuple(str(number) for number in range(count))


def _entries(file: Path) -> dict[str, int]:
    """Return the label of every name."""
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{printable(file)}: larger than any list of labels ({LARGEST:,} bytes)")
    entries = read_json(file, "a list of labels").get("labels")
    if not isinstance(entries, list) or not entries:
        raise ValueError(
            f"{printable(file)}: has no list of labels; without labels set labelled=False, or remove the "
            "file where folders are the classes"
        )
    found: dict[str, int] = {}
    for entry in entries:
        name, label = _entry(entry, file)
        if found.setdefault(name, label) != label:
            raise ValueError(f"{printable(file)}: {name} has the labels {found[name]} and {label}")
    return found


def _entry(entry: Any, file: Path) -> tuple[str, int]:
    pair = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
    label = entry[1] if pair else None
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < MOST_CLASSES:
        raise ValueError(
            f"{printable(file)}: expected [name, label] with a whole number from 0 on, got {str(entry)[:80]}"
        )
    return entry[0].replace("\\", "/"), label


def _some(names: Sequence[Any]) -> str:
    return ", ".join(str(name) for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
