"""Classes that stand elsewhere than in a checkpoint: what was learnt of one follows its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.checkpoints.files import CheckpointError
from mmcgan.class_names import composed
from mmcgan.models.class_rows import ClassAxis, UnmappableError, class_axes, resized, undescribed

#: facts of a data set whose numbers stand for names that are written in images or in columns of a table
FIXED = ("map_classes", "attributes")
SHOWN = 8
State = dict[str, Any]


def follow_classes(runner: Any, checkpoint: State, source: str, *, resumed: bool, allowed: bool) -> list[str]:
    """Bring the rows of classes to where the runner's data set has these classes; return notes for the log.

    Weights, averages and optimiser moments are moved alike, by the names of classes.

    Args:
        runner: with its model newly built; its parts say which of their tensors belong to classes.
        checkpoint: its content; its ``state_dict`` and ``optimizer`` are changed, not their tensors.
        source: the checkpoint's file, for messages.
        resumed: whether the run goes on, or only takes over weights.
        allowed: whether the user allows changes. Classes without a namesake then take the rows that are
            left, in order, where there are as many classes as before; otherwise they take the mean of all
            rows, as moments do (:func:`~mmcgan.models.class_rows.resized`).

    Raises:
        CheckpointError: other names, or a component that does not say which of its tensors belong to classes.
    """
    now = runner.train_dataloader.dataset.metainfo
    meta = checkpoint.get("meta")
    before = meta.get("dataset_meta") if isinstance(meta, Mapping) else None
    notes = [note for key in FIXED for note in _check_fixed(before, now, key, source, resumed, allowed)]
    places, more = class_places(before, now, source, resumed, allowed)
    if places is not None:
        known = len(_names(before, "classes") or ())
        _move(checkpoint, places, known, source, runner.model, runner.cfg.model)
    return notes + more


def class_places(
    before: Any, now: Mapping[str, Any], source: str, resumed: bool, allowed: bool
) -> tuple[list[int | None] | None, list[str]]:
    """Return for each class its number in the checkpoint, or None if they are the same, and notes.

    The number of a new class is None where the number of classes has changed.

    Raises:
        CheckpointError: other names; lists them.
    """
    theirs, ours = _names(before, "classes"), _names(now, "classes")
    if theirs is None or ours is None or theirs == ours:
        return None, []
    shared = set(theirs) & set(ours)
    if not shared and not resumed:
        return None, [f"{source} was trained with other classes ({_some(theirs)}): its rows start from them"]
    unique = len(set(theirs)) == len(theirs) and len(set(ours)) == len(ours)
    if unique and shared == set(ours) == set(theirs):
        place = next(i for i, (a, b) in enumerate(zip(theirs, ours, strict=True)) if a != b)
        text = f"number {place} was {theirs[place]!r}, is {ours[place]!r}; what was learnt follows the names"
        return [theirs.index(name) for name in ours], [
            f"{source}: its classes stood in another order: {text}"
        ]
    text = f"{source}: its classes were others: {_apart(theirs, ours)}"
    if not allowed or not unique:
        raise CheckpointError(f"{text}. {_advice(theirs, ours, unique, resumed)}")
    if len(ours) != len(theirs):
        return _of_another_number(theirs, ours, text)
    gone = iter([name for name in theirs if name not in shared])
    heirs = {name: name if name in shared else next(gone) for name in ours}
    taken = ", ".join(f"{name!r} starts from {old!r}" for name, old in heirs.items() if name != old)
    return [theirs.index(heirs[name]) for name in ours], [f"{text}: {taken}"]


def _advice(theirs: Sequence[str], ours: Sequence[str], unique: bool, resumed: bool) -> str:
    text = "What it has learnt of one class would be taken for another: "
    if not unique:
        return f"{text}give every class a name of its own, as they were"
    text += "name the classes as they were, or "
    if not resumed:
        return f"{text}start with `mmcgan train --from`, which gives new classes the mean of all rows"
    if len(ours) != len(theirs):
        return f"{text}give --allow-changes, with which new ones start from the mean of all rows"
    return f"{text}give --allow-changes, with which as many new ones take the rows of those that are gone"


def _of_another_number(
    theirs: Sequence[str], ours: Sequence[str], text: str
) -> tuple[list[int | None], list[str]]:
    new = [name for name in ours if name not in theirs]
    told = f"{text}: {len(ours) - len(new)} of {len(ours)} keep the rows of their names"
    told += f", {_some(new)} start from the mean of all rows, moments alike" if new else ""
    return [theirs.index(name) if name in theirs else None for name in ours], [told]


def _move(
    checkpoint: State,
    places: Sequence[int | None],
    known: int,
    source: str,
    model: nn.Module,
    config: Mapping[str, Any],
) -> None:
    try:
        unknown = undescribed(config, model)
    except UnmappableError as error:
        raise CheckpointError(f"{source}: its classes stand elsewhere, but {error}") from error
    if unknown:
        raise CheckpointError(
            f"{source}: its classes stand elsewhere, and it is not known which rows of {_some(unknown)} "
            "belong to which: sort the classes as they were, or let the component say class_rows or "
            "class_columns (mmcgan.models.class_rows)"
        )
    axes = class_axes(model)
    weights = checkpoint.get("state_dict", checkpoint)
    _move_moments(checkpoint, axes, places, known, source)
    for name, axis in axes.items():
        if name in weights:
            weights[name] = _as_long(resized(weights[name], axis, known, places), weights[name], name)


def _as_long(moved: Tensor, before: Tensor, name: str) -> Tensor:
    """Return rows of another number; singular vectors of a spectral norm keep their length."""
    if moved.shape == before.shape or ".spectral." not in name:
        return moved
    return F.normalize(moved, dim=0) * before.norm()


def _move_moments(
    checkpoint: State,
    axes: Mapping[str, ClassAxis],
    places: Sequence[int | None],
    known: int,
    source: str,
) -> None:
    """Move optimisers' moments, which have the shapes of their parameters."""
    for name, kept in _moments(checkpoint):
        tables = {key: value for key, value in kept.items() if isinstance(value, Tensor) and value.dim()}
        for key, value in tables.items() if name in axes else ():
            if value.shape != checkpoint["state_dict"][name].shape:
                raise CheckpointError(
                    f"{source}: its classes stand elsewhere, and {key} of {name} has another shape than "
                    "its parameter: sort the classes as they were"
                )
            kept[key] = resized(value, axes[name], known, places)


def _moments(checkpoint: State) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the moments of every parameter with its name."""
    state = checkpoint.get("optimizer") or {}
    for player, names in (checkpoint.get("optimizer_names") or {}).items():
        moments = (state if player == "all" else state.get(player) or {}).get("state", {})
        yield from ((names[number], kept) for number, kept in moments.items() if number < len(names))


def _check_fixed(
    before: Any, now: Mapping[str, Any], key: str, source: str, resumed: bool, allowed: bool
) -> list[str]:
    """Compare names that numbers within images or tables stand for, whose rows stay where they are."""
    theirs, ours = _names(before, key), _names(now, key)
    if theirs is None or ours is None or theirs == ours:
        return []
    if not resumed and not set(theirs) & set(ours):
        return [f"{source} was trained with other {key} ({_some(theirs)}): its rows start from them"]
    if set(theirs) == set(ours):
        text = f"{source}: its {key} stand in another order ({_some(theirs)})"
    else:
        text = f"{source}: its {key} were others: {_apart(theirs, ours)}"
    if not allowed:
        raise CheckpointError(
            f"{text}. What it has learnt of one would be taken for another: name and sort them as they were, "
            "or give --allow-changes"
        )
    return [text]


def _names(facts: Any, key: str) -> list[str] | None:
    names = facts.get(key) if isinstance(facts, Mapping) else None
    if isinstance(names, Mapping):  # by group
        return composed([f"{group}: {name}" for group, many in names.items() for name in many])
    return None if not names else composed(names)


def _apart(theirs: Sequence[str], ours: Sequence[str]) -> str:
    gone, new = [n for n in theirs if n not in ours], [n for n in ours if n not in theirs]
    return f"without {_some(gone)}, now with {_some(new)}"


def _some(names: Sequence[str]) -> str:
    return (", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")) or "none"
