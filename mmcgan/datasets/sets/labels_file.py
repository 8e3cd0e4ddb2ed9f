"""Labels of images in a file beside them: labels.csv, labels.json or StyleGAN2-ADA's dataset.json."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcgan.archives import is_file, read_bytes
from mmcgan.class_names import MOST_CLASSES
from mmcgan.datasets.sets.stylegan_labels import some, stylegan_labels
from mmcgan.text_files import csv_rows, decoded, file_name, parse_json, printable

STYLEGAN, CSV, JSON = "dataset.json", "labels.csv", "labels.json"
LARGEST = 1 << 28  # bytes; a million images take some 50 MB
LONGEST_NAME = 1000  # letters of a class
COLUMNS = ("file", "class")

Label = int | str


def labels_file_in(root: str | Path) -> Path | None:
    """Return the file of labels in a folder or archive, None without one.

    Raises:
        ValueError: there are several.
    """
    found = [Path(root) / name for name in READERS if is_file(Path(root) / name)]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise ValueError(f"{printable(root)}: has {names}; leave the one that says the classes")
    return found[0] if found else None


def read_labels(file: Path, paths: Sequence[str]) -> list[Label]:
    """Return the class of every image: a whole number from 0 on, or a text.

    ``labels.csv`` has a line ``file,class`` and then one for each image; ``labels.json`` an object of class
    by file, or a list of ``{"file": ..., "class": ...}``; ``dataset.json`` holds
    ``{"labels": [[name, number], ...]}``. Files are paths from the folder, with forward slashes.

    Args:
        file: one of these, in the folder of the images.
        paths: of all images in it, starting with the folder's.

    Raises:
        ValueError: not such a file, images without a label, or labels of images that are not there.
    """
    listed = _entries(file)
    names = [os.path.relpath(path, file.parent).replace(os.sep, "/") for path in paths]
    known = set(names)
    unlabelled = [name for name in names if name not in listed]
    absent = [name for name in listed if name not in known]
    if unlabelled or absent:
        parts = (("without a label in it", unlabelled), ("labelled in it and not there", absent))
        said = "; ".join(f"{len(found)} images are {what}: {some(found)}" for what, found in parts if found)
        raise ValueError(f"{printable(file)}: {said}")
    return [listed[name] for name in names]


def numbered(labels: Sequence[Label], where: str) -> tuple[list[int], tuple[str, ...]]:
    """Return the places of classes, sorted, in place of their names or numbers; and a name per class.

    Raises:
        ValueError: numbers beside texts.
    """
    if len({type(label) for label in labels}) > 1:
        raise ValueError(f"{where}: some classes are numbers, and others are texts")
    classes = sorted(set(labels))
    place = {label: number for number, label in enumerate(classes)}
    return [place[label] for label in labels], tuple(map(str, classes))


def _entries(file: Path) -> dict[str, Label]:
    """Return the label of every name."""
    try:
        content = read_bytes(file, LARGEST)
    except OSError as error:
        raise ValueError(f"{printable(file)}: cannot be read as a list of labels ({error})") from error
    found: dict[str, Label] = {}
    for name, label in READERS[file.name](decoded(content, file), file):
        name = file_name(name.replace("\\", "/").removeprefix("./"))
        if found.setdefault(name, label) != label:
            raise ValueError(f"{printable(file)}: {name} has the labels {found[name]} and {label}")
    if not found:
        raise ValueError(f"{printable(file)}: has no labels; {WITHOUT}")
    if len({str(label) for label in found.values()}) > MOST_CLASSES:
        raise ValueError(f"{printable(file)}: more than {MOST_CLASSES:,} classes")
    return found


WITHOUT = "without labels set labelled=False, or remove the file where folders are the classes"


def _json(text: str, file: Path) -> list[tuple[str, Label]]:
    content = parse_json(text, file, "classes by file")
    pairs: list[Any] = list(content.items()) if isinstance(content, Mapping) else []
    if isinstance(content, list):
        pairs = [_pair(entry, file) for entry in content]
    return [(name, _class_of(label, file, name)) for name, label in pairs]


def _pair(entry: Any, file: Path) -> tuple[str, Any]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("file"), str) or "class" not in entry:
        raise ValueError(
            f'{printable(file)}: expected {{"file": ..., "class": ...}} for each image, got {str(entry)[:80]}'
        )
    return entry["file"], entry["class"]


def _csv(text: str, file: Path) -> list[tuple[str, Label]]:
    rows = csv_rows(text, file)
    _, header = next(rows, (1, []))
    if not set(COLUMNS) <= set(header):
        raise ValueError(
            f"{printable(file)}: its first line must name the columns {' and '.join(COLUMNS)}, and has "
            f"{', '.join(header)[:200] or 'nothing'}; rename a file that is something else"
        )
    listed = [dict(zip(header, row, strict=False)) for _, row in rows if row]
    short = [place for place, row in enumerate(listed, 2) if not row.get("file") or "class" not in row]
    if short:
        raise ValueError(f"{printable(file)}: row {short[0]} names no file, or no class")
    labels: list[tuple[str, Label]] = [
        (row["file"], _class_of(row["class"], file, row["file"])) for row in listed
    ]
    if all(str(label).isdecimal() and len(str(label)) < 8 for _, label in labels):  # 2 before 10
        return [(name, int(label)) for name, label in labels]
    return labels


def _class_of(label: Any, file: Path, name: str) -> Label:
    if _is_number(label) or (isinstance(label, str) and label.strip() and len(label) <= LONGEST_NAME):
        return label.strip() if isinstance(label, str) else label
    raise ValueError(
        f"{printable(file)}: {name[:200]}: a class is a text or a whole number from 0 on, got "
        f"{str(label)[:80]!r}"
    )


def _is_number(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool) and 0 <= label < MOST_CLASSES


#: name of a file -> what reads it
READERS: dict[str, Callable[[str, Path], list[tuple[str, Label]]]] = {
    CSV: _csv,
    JSON: _json,
    STYLEGAN: lambda text, file: [*stylegan_labels(text, file)],
}
