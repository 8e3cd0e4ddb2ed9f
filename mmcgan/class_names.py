"""Whether the classes of two sides are the same, and which number of the one is which of the other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN = 5
#: as many classes as any labelled set has
MOST_CLASSES = 1 << 20


@dataclass(frozen=True)
class Classes:
    """The classes of one side.

    Attributes:
        whose: for messages, such as ``the classifier digits-16``.
        count: how many; None where that is not known.
        names: one for each, or nothing.
    """

    whose: str
    count: int | None
    names: Sequence[str] = ()

    def described(self) -> str:
        """Return number and first names."""
        shown = ", ".join(map(str, self.names[:SHOWN])) + (", ..." if len(self.names) > SHOWN else "")
        return f"{self.whose} has {self.count} classes" + (f" ({shown})" if shown else "")


def absent_classes(numbers: Iterable[int], where: str, count: int | None = None) -> list[int]:
    """Return the classes that no image has, in order.

    Args:
        numbers: classes of images, not negative.
        where: the file or folder that says them, for messages.
        count: how many classes there are; the largest number and one by default.

    Raises:
        ValueError: more classes than any set has: no memory is taken for them.
    """
    present = set(numbers)
    found = max(present, default=-1) + 1 if count is None else count
    if found > MOST_CLASSES:
        raise ValueError(
            f"{where}: has classes up to {found - 1}, and 0 to {MOST_CLASSES - 1} are allowed; "
            "number classes from 0 on"
        )
    return sorted(set(range(found)) - present)


def named_classes(metainfo: Mapping[str, Any], numbers: Iterable[int], where: str) -> tuple[str, ...]:
    """Return a name for each class of a labelled set, the number where the set has no names.

    Args:
        metainfo: what the set says of itself; ``classes`` and ``num_classes`` are optional.
        numbers: classes of its images.
        where: the set, for messages.

    Raises:
        ValueError: more classes than any set has.
    """
    if metainfo.get("classes"):
        return tuple(metainfo["classes"])
    seen = list(numbers)
    count = metainfo.get("num_classes") or max(seen, default=-1) + 1
    absent_classes(seen, where, count)
    return tuple(str(number) for number in range(count))


def composed(names: Sequence[str]) -> list[str]:
    """Return names in Unicode's composed form (NFC): file systems write ``é`` as one sign or as two."""
    return [unicodedata.normalize("NFC", str(name)) for name in names]


def matching(asked: Classes, known: Classes) -> list[int] | None:
    """Return for each class asked for its number on the other side; None if the numbers are the same.

    Names are compared where both sides have them, as Unicode composes them; their order does not
    matter. Numbers of classes are always compared, where they are known.

    Raises:
        ValueError: another number of classes, or other names; the message has those that one side lacks.
    """
    if asked.names and known.names:
        ours, theirs = (composed(names) for names in (asked.names, known.names))
        if sorted(ours) != sorted(theirs):
            raise ValueError(f"{_apart(asked, known)}{_missing(ours, theirs)}")
        if len(set(ours)) < len(ours) and ours != theirs:
            raise ValueError(f"{_apart(asked, known)}; names that repeat cannot be told apart")
        return None if ours == theirs else [theirs.index(name) for name in ours]
    if None not in (asked.count, known.count) and asked.count != known.count:
        raise ValueError(_apart(asked, known))
    return None


def require_same(first: Classes, second: Classes) -> None:
    """Refuse classes that have other numbers on the other side, where nothing can be renumbered.

    Raises:
        ValueError: another number of classes, other names, or the same names in another order.
    """
    numbers = matching(first, second)
    if numbers is not None:
        place = next(here for here, there in enumerate(numbers) if here != there)
        raise ValueError(
            f"{first.whose} and {second.whose} have the same classes in another order: number {place} is "
            f"{first.names[place]!r} of the first and {second.names[place]!r} of the second"
        )


def _apart(asked: Classes, known: Classes) -> str:
    return (
        f"{asked.described()}, {known.described()}: they are not the same classes, and what is said of one "
        "would be counted for another"
    )


def _missing(ours: Sequence[str], theirs: Sequence[str]) -> str:
    parts = []
    for names, others, side in ((ours, theirs, "first"), (theirs, ours, "second")):
        only = sorted(set(names) - set(others))
        if only:
            shown = ", ".join(only[:SHOWN]) + (", ..." if len(only) > SHOWN else "")
            parts.append(f"only the {side} has {shown}")
    return f" ({'; '.join(parts)})" if parts else ""
