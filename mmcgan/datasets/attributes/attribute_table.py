"""Attributes of image files from a table: CSV, TSV, JSON, or CelebA's text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.attributes import FREE, AttributeGroup, AttributeGroups
from mmcgan.suggestions import nearest
from mmcgan.text_files import csv_rows, file_name, parse_json, read_text

ON = {"1": True, "true": True, "yes": True}
OFF = {"0": False, "-1": False, "false": False, "no": False}
SWITCH = {**ON, **OFF}
#: group of all on/off columns, where groups are not given
SWITCHES = "attributes"
SPLIT = "split"
FILE = "file"
LONGEST_NUMBER = 20  # digits of a value that is sorted as a number

Value = str | list[str]


@dataclass(frozen=True)
class Row:
    """One image of a table.

    Attributes:
        where: ``row 7`` or ``entry 3``, for messages.
        file: as the table names it.
        values: column -> what it says.
    """

    where: str
    file: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class AttributeTable:
    """What a table says.

    Attributes:
        files: one per image, as the table names them.
        groups: names of the attributes.
        attributes: uint8 (N, A).
    """

    files: list[str]
    groups: AttributeGroups
    attributes: Tensor


def read_attribute_table(
    path: str | Path, groups: Mapping[str, Any] | None = None, split: str | None = None
) -> AttributeTable:
    """Read the files and attributes of all images of ``split``.

    The first column of a CSV or TSV names the files, in a JSON list the key ``file``; a JSON object maps
    files to their attributes; ``dataset.json`` of StyleGAN2-ADA with labels that are lists of 0 and 1 makes
    attributes that are called by their places. ``.txt`` is CelebA's format: a count, the names,
    then a file with 1 or -1 for every name on each line.

    Args:
        path: the table.
        groups: ``{column: [its values]}``, or ``{name: [on/off columns, of which one is on]}``, or
            ``{name: dict(any_of=[on/off columns])}``. None takes all columns: those with 0, 1, -1, true,
            false make one free group ``attributes``, JSON lists a free group each, others an exclusive group.
        split: keep the rows with this in the column ``split``; None keeps all.

    Raises:
        FileNotFoundError: no such table.
        ValueError: names the file, the row and the column of what is wrong.
    """
    path = Path(path)
    rows = _rows(path)
    rows = _of_split(rows, path, split)
    found = AttributeGroups.from_config(groups) if groups is not None else _inferred(rows, path)
    columns = [column for column in rows[0].values if column != SPLIT]
    attributes = torch.zeros(len(rows), len(found), dtype=torch.uint8)
    for group in found:
        _fill(attributes[:, group.columns], group, rows, columns, path)
    return AttributeTable([file_name(row.file) for row in rows], found, attributes)


# --- reading ------------------------------------------------------------------------------------


def _rows(path: Path) -> list[Row]:
    readers = {".csv": _csv, ".tsv": _csv, ".json": _json, ".txt": _celeba}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path}: a table of attributes is one of {', '.join(readers)}")
    if not path.is_file():
        raise FileNotFoundError(f"no table of attributes {path}")
    text = read_text(path)
    rows = list(readers[path.suffix.lower()](path, text))
    if not rows:
        raise ValueError(f"{path}: no rows")
    first: dict[str, str] = {}
    for row in rows:
        if row.file in first:
            raise ValueError(f"{path}: {row.where}: {row.file!r} is there already, in {first[row.file]}")
        first[row.file] = row.where
    return rows


def _csv(path: Path, text: str) -> Iterator[Row]:
    rows = csv_rows(text, path, "\t" if path.suffix.lower() == ".tsv" else ",")
    header = [name.strip() for name in next(rows, (1, []))[1]]
    if len(header) < 2 or len(set(header)) < len(header) or not all(header):
        raise ValueError(f"{path}: row 1 must name the file column and attribute columns, got {header}")
    for line, values in rows:
        if values:
            yield _row(path, f"row {line}", header, values)


def _celeba(path: Path, text: str) -> Iterator[Row]:
    lines = text.splitlines()
    if len(lines) < 2 or not lines[0].strip().isdigit():
        raise ValueError(f"{path}: row 1 must be the number of images (CelebA's format), row 2 the names")
    header = [FILE, *lines[1].split()]
    for number, line in enumerate(lines[2:], start=3):
        if line.strip():
            yield _row(path, f"row {number}", header, line.split())


def _row(path: Path, where: str, header: Sequence[str], values: Sequence[str]) -> Row:
    if len(values) != len(header):
        raise ValueError(f"{path}: {where} has {len(values)} values, the header {len(header)} columns")
    texts = {name: value.strip() for name, value in zip(header, values, strict=True)}
    for name, value in texts.items():
        if not value:
            raise ValueError(f"{path}: {where}, column {name!r}: empty")
    return Row(where, texts.pop(header[0]), texts)


def _json(path: Path, text: str) -> Iterator[Row]:
    content = parse_json(text, path, "a table of attributes")
    if isinstance(content, dict) and isinstance(content.get("labels"), list):
        yield from _labels_of_stylegan(path, content["labels"])
        return
    if isinstance(content, dict):
        for file, values in content.items():
            if not isinstance(values, dict):
                raise ValueError(f"{path}: {file!r} must have an object of its attributes, got {values!r}")
        content = [{**values, FILE: file} for file, values in content.items()]
    if not isinstance(content, list):
        raise ValueError(f"{path}: must be a list of objects with {FILE!r}, or an object of them by file")
    for number, entry in enumerate(content):
        where = f"entry {number}"
        if not isinstance(entry, dict) or not isinstance(entry.get(FILE), str):
            raise ValueError(f"{path}: {where}, column {FILE!r}: the name of a file is missing")
        values = {key: _value(path, where, key, value) for key, value in entry.items() if key != FILE}
        yield Row(where, entry[FILE], values)


def _labels_of_stylegan(path: Path, entries: Sequence[Any]) -> Iterator[Row]:
    """Yield a row for every pair of StyleGAN2-ADA's ``dataset.json``, whose labels are lists of 0 and 1."""
    for number, entry in enumerate(entries):
        where = f"label {number}"
        pair = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
        label = entry[1] if pair else None
        if not isinstance(label, list) or not label or any(value not in (0, 1) for value in label):
            raise ValueError(f"{path}: {where} must be [name, list of 0 and 1], got {str(entry)[:80]}")
        if len(label) != len(entries[0][1]):
            raise ValueError(f"{path}: {where} has {len(label)} values, the first {len(entries[0][1])}")
        yield Row(where, entry[0], {str(place): str(int(value)) for place, value in enumerate(label)})


def _value(path: Path, where: str, column: str, value: Any) -> Value:
    if isinstance(value, list) and all(isinstance(element, str | int) for element in value):
        return [str(element) for element in value]
    if isinstance(value, str | int) and value != "":
        return str(value)
    raise ValueError(f"{path}: {where}, column {column!r}: must be a text, a number or a list, got {value!r}")


def _of_split(rows: list[Row], path: Path, split: str | None) -> list[Row]:
    if split is None:
        return rows
    kept = [row for row in rows if row.values.get(SPLIT) == split]
    if not kept:
        found = sorted({str(row.values[SPLIT]) for row in rows if SPLIT in row.values})
        raise ValueError(
            f"{path}: column {SPLIT!r} has no {split!r}; it has: {', '.join(found) or 'no such column'}"
        )
    return kept


# --- groups -------------------------------------------------------------------------------------


def _inferred(rows: Sequence[Row], path: Path) -> AttributeGroups:
    """Return groups made of all columns."""
    spec: dict[str, Any] = {}
    switches: list[str] = []
    for column in (name for name in rows[0].values if name != SPLIT):
        values = [_cell(row, column, path) for row in rows]
        choices = _choices(values, f"{path}: column {column!r}")
        if choices is None:
            switches.append(column)
        else:
            spec[column] = choices
    if switches:
        if SWITCHES in spec:
            raise ValueError(f"{path}: column {SWITCHES!r} has the name of the on/off group; give groups")
        spec[SWITCHES] = {FREE: switches}
    if not spec:
        raise ValueError(f"{path}: no column of attributes")
    return AttributeGroups.from_config(spec)


def _choices(values: Sequence[Any], called: str) -> Any:
    """Return the group of a column's names; None for a switch, which is on or off."""
    if any(isinstance(value, list) for value in values):
        names = {name for value in values for name in ([value] if isinstance(value, str) else value)}
        return {FREE: _ordered(names)}
    if all(str(value).casefold() in SWITCH for value in values):
        return None
    found = _ordered({str(value) for value in values})
    if len(found) < 2:
        raise ValueError(f"{called} says {found[0]!r} in every row")
    return found


def _ordered(names: set[str]) -> list[str]:
    numbers = all(name.isdecimal() and len(name) < LONGEST_NUMBER for name in names)
    return sorted(names, key=int) if numbers else sorted(names)


def _cell(row: Row, column: str, path: Path) -> Value:
    if column not in row.values:
        hint = nearest(column, list(row.values))
        raise ValueError(f"{path}: {row.where} has no column {column!r}.{hint}")
    return row.values[column]


def _fill(
    target: Tensor, group: AttributeGroup, rows: Sequence[Row], columns: Sequence[str], path: Path
) -> None:
    """Set the columns of ``group`` in ``target`` (N, names of the group)."""
    if group.name in columns:
        for row, into in zip(rows, target, strict=True):
            cell = _cell(row, group.name, path)
            for value in [cell] if isinstance(cell, str) else cell:
                into[_index(group, value, row, path)] = 1
            _require_one(group, into, row, path)
        return
    for name in group.names:
        if name not in columns:
            hint = nearest(name, list(columns))
            raise ValueError(f"{path}: no column {name!r} for attribute group {group.name!r}.{hint}")
    for row, into in zip(rows, target, strict=True):
        for place, name in enumerate(group.names):
            into[place] = _switch(row, name, path)
        _require_one(group, into, row, path)


def _index(group: AttributeGroup, value: str, row: Row, path: Path) -> int:
    if value not in group.names:
        hint = nearest(value, list(group.names))
        raise ValueError(f"{path}: {row.where}, column {group.name!r}: {value!r} is not in the group.{hint}")
    return group.names.index(value)


def _switch(row: Row, column: str, path: Path) -> int:
    value = _cell(row, column, path)
    known = SWITCH.get(value.casefold()) if isinstance(value, str) else None
    if known is None:
        raise ValueError(
            f"{path}: {row.where}, column {column!r}: {value!r} is neither on (1, true, yes) nor off "
            "(0, -1, false, no)"
        )
    return int(known)


def _require_one(group: AttributeGroup, values: Tensor, row: Row, path: Path) -> None:
    if group.exclusive and int(values.sum()) != 1:
        found = [name for name, value in zip(group.names, values.tolist(), strict=True) if value]
        raise ValueError(
            f"{path}: {row.where}: group {group.name!r} needs exactly one of {', '.join(group.names)}; "
            f"has {', '.join(found) or 'none'}"
        )
