"""Whether a checkpoint's class numbers mean what the data set's do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcgan.checkpoints.files import CheckpointError

#: facts of a data set that say what its numbers are called
NAMED = ("classes", "map_classes")
SHOWN = 8


def check_classes(
    before: Any, now: Mapping[str, Any], source: str, resumed: bool, allowed: bool
) -> list[str]:
    """Compare what class numbers are called; return notes for the log.

    Rows of embeddings, heads and moments stay where they are, so that another order or another name would
    teach one class what the other has learnt. Weights may be taken over (``load_from``) for entirely other
    classes.

    Args:
        before: ``dataset_meta`` of the checkpoint.
        now: ``metainfo`` of the data set.
        source: the checkpoint's file.
        resumed: whether the run goes on, or only takes over weights.
        allowed: whether the user allows changes.

    Raises:
        CheckpointError: other names, or the same in another order; lists them.
    """
    notes = []
    for key in NAMED:
        theirs, ours = _names(before, key), _names(now, key)
        if theirs is None or ours is None or theirs == ours:
            continue
        if not resumed and not set(theirs) & set(ours):
            notes.append(f"{source} was trained with other {key} ({_some(theirs)}): its rows start from them")
            continue
        text = f"{source}: {_difference(theirs, ours, key)}"
        if not allowed:
            raise CheckpointError(
                f"{text}. What it has learnt of one class would be taken for another: name and sort the "
                "classes as they were, or give --allow-changes"
            )
        notes.append(text)
    return notes


def _names(facts: Any, key: str) -> list[str] | None:
    names = facts.get(key) if isinstance(facts, Mapping) else None
    return None if not names else [str(name) for name in names]


def _difference(theirs: Sequence[str], ours: Sequence[str], key: str) -> str:
    gone, new = [n for n in theirs if n not in ours], [n for n in ours if n not in theirs]
    if gone or new:
        return f"its {key} were others: without {_some(gone)}, now with {_some(new)}"
    place = next(i for i, (a, b) in enumerate(zip(theirs, ours, strict=True)) if a != b)
    return f"its {key} stand in another order: number {place} was {theirs[place]!r}, is {ours[place]!r}"


def _some(names: Sequence[str]) -> str:
    return (", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")) or "none"
