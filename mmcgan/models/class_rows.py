"""Which rows of a network's tensors belong to which class, so that they can follow a class to another number.

A module says it of its own parts by class attributes, attributes or properties:

* ``class_rows``: names of tables, linear maps or tensors whose first axis runs over the classes,
* ``class_columns``: names of linear maps or tensors whose second axis does (of a one-hot label),
* ``class_copies``: how many neighbouring rows a class has (default 1).

An axis may be longer; what comes behind the classes stays. A part that says something of its own parts needs
no other description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.registry import MODELS, SuggestingRegistry

#: the axis of a tensor, and how many neighbouring rows a class has
ClassAxis = tuple[int, int]


class UnmappableError(ValueError):
    """A component does not say which of its tensors belong to classes."""


def class_axes(model: nn.Module) -> dict[str, ClassAxis]:
    """Return the axis and the rows of a class for every tensor of ``model.state_dict()`` that has some."""
    found: dict[str, ClassAxis] = {}
    for prefix, module in model.named_modules(remove_duplicate=False):
        for name, axis in _own(module, prefix):
            found.setdefault(name, axis)  # what holds a part knows better how many rows a class has in it
    return found


def _own(module: nn.Module, prefix: str, copies: int = 1) -> Iterator[tuple[str, ClassAxis]]:
    copies *= getattr(module, "class_copies", 1)
    for kind, axis in (("class_rows", 0), ("class_columns", 1)):
        for part in getattr(module, kind, ()):
            yield from _of_part(_part(module, part), f"{prefix}.{part}".strip("."), axis, copies)


def _of_part(part: Any, place: str, axis: int, copies: int) -> Iterator[tuple[str, ClassAxis]]:
    """Yield the tensors of what a module says to have classes along an axis; of nothing, none."""
    if part is None:
        return
    if isinstance(part, Tensor):
        yield place, (axis, copies)
        return
    if _says(part):
        yield from _own(part, place, copies)
        return
    yield from ((f"{place}.{name}", (at, copies)) for name, at in _tensors(part, axis))


def _part(module: nn.Module, name: str) -> Any:
    found: Any = module
    for step in name.split("."):
        found = getattr(found, step, None)
    return found


def _says(module: nn.Module) -> bool:
    return any(getattr(module, kind, ()) for kind in ("class_rows", "class_columns"))


def _tensors(module: nn.Module, axis: int) -> Iterator[tuple[str, int]]:
    """Yield the tensors of a table or a linear map that have classes along rows (0) or columns (1)."""
    yield "weight", axis
    if axis == 0 and getattr(module, "bias", None) is not None:
        yield "bias", 0
    singular = "u" if axis == 0 else "v"  # of its spectral norm, one for every row or column
    for name, _ in module.named_buffers():
        if name.startswith(f"spectral.{singular}"):
            yield name, 0


def resized(value: Tensor, axis: ClassAxis, known: int, source: Sequence[int | None]) -> Tensor:
    """Return ``value`` with rows for other classes: of class ``source[c]``, or the mean of all where None.

    The mean of all rows shows a mixture of what is known and is nobody else's; of an optimiser's moments, it
    keeps steps of new rows as large as those of the others. Singular vectors of a spectral norm keep their
    length.

    Args:
        value: a tensor of a network, or its moments.
        axis: where its classes are.
        known: number of classes that it has.
        source: for each class wanted, one of these, or None.

    Raises:
        ValueError: the axis is shorter than the classes need.
    """
    dim, copies = axis
    needed = known * copies
    if value.dim() <= dim or value.shape[dim] < needed:
        raise ValueError(f"shape {tuple(value.shape)} has no {needed} rows along axis {dim}")
    rows = value.movedim(dim, 0)
    table, behind = rows[:needed].unflatten(0, (known, copies)), rows[needed:]
    mean = table.double().mean(0).to(table.dtype)
    new = torch.stack([mean if old is None else table[old] for old in source])
    return torch.cat([new.flatten(0, 1), behind]).movedim(0, dim).contiguous()


def undescribed(
    config: Mapping[str, Any], model: nn.Module, registry: SuggestingRegistry = MODELS
) -> list[str]:
    """Return the tensors that grow with the number of classes otherwise than their component says.

    Found by building the model for one class more, without memory. A component that asks for labels and says
    nothing at all is named, too.

    Args:
        config: that ``model`` was built from.
        model: searched for what its components say.
        registry: that builds it.

    Raises:
        UnmappableError: the model cannot be built for one class more.
    """
    known = class_axes(model)
    try:
        with torch.device("meta"):
            larger = registry.build(_with_one_more(config))
    except Exception as error:  # whatever a component makes of another number of classes
        raise UnmappableError(f"the model cannot be built for one class more ({error})") from error
    others = larger.state_dict()
    tensors = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    wrong = [
        name
        for name, value in tensors.items()
        if name in others and others[name].shape != _grown(value.shape, known.get(name))
    ]
    return [*wrong, *_silent(model, known)]


def _grown(shape: Sequence[int], axis: ClassAxis | None) -> tuple[int, ...]:
    """Return the shape for one class more."""
    return tuple(
        size + (axis[1] if axis is not None and axis[0] == dim else 0) for dim, size in enumerate(shape)
    )


def _with_one_more(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: item + 1 if key == "num_classes" and type(item) is int and item else _with_one_more(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_with_one_more(item) for item in value]
    return value


def _silent(model: nn.Module, known: Mapping[str, ClassAxis]) -> list[str]:
    asking = [
        prefix
        for prefix, module in model.named_modules()
        if prefix and "label" in (getattr(module, "requires", None) or ())
    ]
    return [
        f"{prefix} (all of it)" for prefix in asking if not any(n.startswith(f"{prefix}.") for n in known)
    ]
