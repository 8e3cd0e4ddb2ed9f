"""Classes from a column of a table: numbers with names, numbers, or texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.class_names import MOST_CLASSES, absent_classes


def labels_of(values: Sequence[Any], feature: Any, where: str) -> tuple[Tensor, tuple[str, ...]]:
    """Return the class of every row, int64 (N,), and a name per class.

    Args:
        values: of the column: whole numbers, or texts; then classes are the texts, sorted.
        feature: ``names`` of it are those of the numbers; without them, numbers are called by themselves.
        where: what to call the column in messages.

    Raises:
        ValueError: a row without a class, values of another kind, numbers beyond the names, or without names
            not those from 0 on.
    """
    missing = [row for row, value in enumerate(values) if value is None or value == -1]
    if missing:
        raise ValueError(f"{where}: {len(missing)} rows have no class; the first is row {missing[0]}")
    kinds = {type(value) for value in values}
    if kinds == {str}:
        names = tuple(sorted(set(values)))
        number = {name: place for place, name in enumerate(names)}
        return torch.tensor([number[value] for value in values]), _several(names, where)
    if kinds != {int}:
        said = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(f"{where}: classes must be whole numbers or texts, got {said or 'no rows'}")
    given = getattr(feature, "names", None)
    largest = max(values)
    if min(values) < 0 or largest >= (MOST_CLASSES if given is None else len(given)):
        raise ValueError(f"{where}: classes reach from {min(values)} to {largest}, {_allowed(given)}")
    if given is not None:
        return torch.tensor(values), _several(tuple(given), where)
    empty = absent_classes(values, where)
    if empty:
        raise ValueError(
            f"{where}: classes reach to {largest}, but no row has {empty[0]}; number them from 0 on"
        )
    return torch.tensor(values), _several(tuple(map(str, range(largest + 1))), where)


def _allowed(names: Sequence[str] | None) -> str:
    return f"and {'0 and more' if names is None else f'0 to {len(names) - 1}'} are allowed"


def _several(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    if len(names) < 2:
        raise ValueError(f"{where}: only one class, {names[0]!r}; leave label= out to go without")
    return names
