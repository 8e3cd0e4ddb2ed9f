"""Labels of a folder of images in a file, as StyleGAN2-ADA's ``dataset_tool.py`` writes them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcgan.text_files import file_name, printable, read_json

LABELS_FILE = "dataset.json"
SHOWN = 3
LARGEST = 1 << 30  # bytes; a million images take some 50 MB
#: as many classes as any labelled set has
MOST_CLASSES = 1 << 20


def read_labels(root: Path, paths: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return the label of every image, and the names of the classes: their numbers.

    The file holds ``{"labels": [[name, label], ...]}``: a path from ``root`` with forward slashes, and a
    whole number from 0 on, or the one-hot code of one: a list with one 1 and otherwise 0.

    Args:
        root: the folder with the file.
        paths: of its images, starting with ``root``.

    Raises:
        ValueError: not such a file, labels that are neither numbers nor one-hot codes, images without a
            label, labels of images that are not there, or a class without images.
    """
    file = root / LABELS_FILE
    listed, length = _numbers(_entries(file), file)
    names = [os.path.relpath(path, root).replace(os.sep, "/") for path in paths]
    known = set(names)
    unlabelled = [name for name in names if name not in listed]
    absent = [name for name in listed if name not in known]
    if unlabelled or absent:
        parts = (("without a label in it", unlabelled), ("labelled in it and not there", absent))
        said = "; ".join(f"{len(found)} images are {what}: {_some(found)}" for what, found in parts if found)
        raise ValueError(f"{printable(file)}: {said}")
    labels = [listed[name] for name in names]
    count = length or max(labels) + 1
    empty = sorted(set(range(count)) - set(labels))
    if empty:
        what = f"one-hot labels have {length} places" if length else f"labels reach to {count - 1}"
        raise ValueError(
            f"{printable(file)}: {what}, but {len(empty)} of them have no image: "
            f"{_some(empty)}; number the classes that there are from 0 on"
        )
    if count < 2:
        raise ValueError(f"{printable(file)}: every image has the label 0; set labelled=False")
    return labels, tuple(str(number) for number in range(count))


Label = int | tuple[float, ...]


def _entries(file: Path) -> dict[str, Label]:
    """Return the label of every name: a number, or a vector."""
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{printable(file)}: larger than any list of labels ({LARGEST:,} bytes)")
    entries = read_json(file, "a list of labels").get("labels")
    if not isinstance(entries, list) or not entries:
        raise ValueError(
            f"{printable(file)}: has no list of labels; without labels set labelled=False, or remove the "
            "file where folders are the classes"
        )
    found: dict[str, Label] = {}
    for entry in entries:
        name, label = _entry(entry, file)
        if found.setdefault(name, label) != label:
            raise ValueError(f"{printable(file)}: {name} has the labels {found[name]} and {label}")
    return found


def _entry(entry: Any, file: Path) -> tuple[str, Label]:
    pair = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
    label: Any = entry[1] if pair else None
    if isinstance(label, list) and label and all(map(_is_number, label)):
        return file_name(entry[0].replace("\\", "/")), tuple(map(float, label))
    if not _is_number(label) or label != int(label) or not 0 <= label < MOST_CLASSES:
        raise ValueError(
            f"{printable(file)}: expected [name, label] with a whole number from 0 on, or a one-hot list, "
            f"got {str(entry)[:80]}"
        )
    return file_name(entry[0].replace("\\", "/")), int(label)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(listed: dict[str, Label], file: Path) -> tuple[dict[str, int], int | None]:
    """Return the class of every name, and the length of one-hot codes, None where labels are numbers.

    Raises:
        ValueError: numbers beside vectors, vectors of several lengths, or vectors that are not one-hot.
    """
    vectors = {name: label for name, label in listed.items() if isinstance(label, tuple)}
    if not vectors:
        return {name: label for name, label in listed.items() if isinstance(label, int)}, None
    first, length = next((name, len(label)) for name, label in vectors.items())
    for name, label in listed.items():
        if not isinstance(label, tuple) or len(label) != length:
            other = f"a list of {len(label)}" if isinstance(label, tuple) else f"the number {label}"
            raise ValueError(
                f"{printable(file)}: {first} has a list of {length} numbers as its label, {name} {other}; "
                "give all images labels of one kind"
            )
    for name, label in vectors.items():
        if set(label) - {0.0, 1.0}:
            raise ValueError(
                f"{printable(file)}: the label of {name}, {_some(label)}, is a vector of numbers. Classes "
                "are whole numbers or one-hot lists; a condition of real numbers is not supported. Without "
                "labels set labelled=False"
            )
        if sum(label) != 1:
            raise ValueError(
                f"{printable(file)}: the label of {name} is on in {sum(label):.0f} of {length} places: these "
                "are no classes, of which an image has one, but attributes; read them with dict("
                f"type='AttributeFolder', root={str(file.parent)!r}, table={str(file)!r}, image_size=...)"
            )
    return {name: label.index(1.0) for name, label in vectors.items()}, length


def _some(names: Sequence[Any]) -> str:
    return ", ".join(str(name) for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
