"""Labels as StyleGAN2-ADA's ``dataset_tool.py`` writes them, in ``dataset.json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcgan.class_names import MOST_CLASSES, absent_classes
from mmcgan.text_files import file_name, parse_json, printable

SHOWN = 3

Label = int | tuple[float, ...]


def stylegan_labels(text: str, file: Path) -> list[tuple[str, int]]:
    """Return names of images and their classes.

    The file holds ``{"labels": [[name, label], ...]}``: a path from its folder with forward slashes, and a
    whole number from 0 on, or the one-hot code of one: a list with one 1 and otherwise 0.

    Args:
        text: of the file.
        file: for messages.

    Raises:
        ValueError: not such a file, labels that are neither numbers nor one-hot codes, or a class without
            images.
    """
    content = parse_json(text, file, "a list of labels")
    entries = content.get("labels") if isinstance(content, dict) else None
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
    listed, length = _numbers(found, file)
    count = length or max(listed.values()) + 1
    empty = absent_classes(listed.values(), printable(file), count)
    if empty:
        what = f"one-hot labels have {length} places" if length else f"labels reach to {count - 1}"
        raise ValueError(
            f"{printable(file)}: {what}, but {len(empty)} of them have no image: "
            f"{some(empty)}; number the classes that there are from 0 on"
        )
    return list(listed.items())


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
                f"{printable(file)}: the label of {name}, {some(label)}, is a vector of numbers. Classes "
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


def some(names: Sequence[Any]) -> str:
    """Return the first of some names as a text."""
    return ", ".join(str(name) for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
