"""Names of weights, theirs and ours, as one table that is read in both directions.

A table is a sequence of rows and steps. A row ``(theirs, ours)`` exchanges runs of whole segments of a
dotted key: ``("conv_sc", "shortcut")`` turns ``blocks.0.conv_sc.weight`` into ``blocks.0.shortcut.weight``
and back. ``{i}`` stands for a number, ``^`` and ``$`` tie a row to the beginning and end of a key. Towards
us the rows are applied from the first to the last, towards the peer from the last to the first with their
sides exchanged; so each row has to undo itself on what the rows before it leave.

``(theirs, None)`` drops what the peer stores and we do not, ``(None, ours)`` the reverse. A third entry
``(fact, value)`` confines a row to networks with that fact on the way to the peer, where one name of ours
has several of theirs; on the way to us every row applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Protocol

Fact = tuple[str, Any]
Row = tuple[str | None, str | None] | tuple[str | None, str | None, Fact]
Facts = Mapping[str, Any]


class Step(Protocol):
    """What a row cannot say, because it has to see all keys at once."""

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return a name nearer to ours for every key, None for one that is dropped."""

    def theirs(self, keys: Sequence[str], facts: Facts) -> list[str | None]:
        """Return the names that :meth:`ours` was given."""


Table = Sequence[Row | Step]


def to_ours(table: Table, keys: Iterable[str]) -> dict[str, str]:
    """Return our name for every key of the peer that is kept."""
    names = {key: key for key in keys}
    for step in _steps(tuple(table)):
        names = _kept(names, step.ours(list(names.values())))
    return names


def to_theirs(table: Table, keys: Iterable[str], facts: Facts) -> dict[str, str]:
    """Return the peer's name for every key of ours that it keeps.

    Args:
        table: the same as in :func:`to_ours`.
        keys: of our network.
        facts: what decides where one name of ours has several of theirs.
    """
    names = {key: key for key in keys}
    for step in reversed(_steps(tuple(table))):
        names = _kept(names, step.theirs(list(names.values()), facts))
    return names


def _kept(names: Mapping[str, str], renamed: Sequence[str | None]) -> dict[str, str]:
    pairs = zip(names, renamed, strict=True)
    return {key: name for key, name in pairs if name is not None}


@lru_cache(maxsize=256)
def _steps(table: tuple[Row | Step, ...]) -> tuple[Step, ...]:
    """Return the table with every run of rows as one step."""
    steps: list[Step] = []
    for is_row, run in groupby(table, key=lambda entry: isinstance(entry, tuple)):
        entries = tuple(run)
        steps += [Rows(entries)] if is_row else entries  # type: ignore[arg-type]
    return tuple(steps)


@dataclass(frozen=True)
class Rows:
    """A run of rows, which look at every key alone."""

    rows: tuple[Row, ...]

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys after all rows."""
        return [_exchanged(key, tuple((row[0], row[1]) for row in self.rows)) for key in keys]

    def theirs(self, keys: Sequence[str], facts: Facts) -> list[str | None]:
        """Return the keys after all rows that these facts allow, the last one first."""
        rows = [row for row in self.rows if len(row) == 2 or facts.get(row[2][0]) == row[2][1]]
        return [_exchanged(key, tuple((row[1], row[0]) for row in reversed(rows))) for key in keys]


@lru_cache(maxsize=1 << 16)
def _exchanged(key: str, rows: tuple[tuple[str | None, str | None], ...]) -> str | None:
    """Return a key after all rows. Recognising a file tries every format: most keys come many times."""
    for source, target in rows:
        if source is None:
            continue
        if target is None:
            if _pattern(source).search(key):
                return None
        else:
            key = _pattern(source).sub(_Filled(target), key)
    return key


@dataclass(frozen=True)
class _Filled:
    """A template with the numbers that the other side's has found."""

    template: str

    def __call__(self, found: re.Match[str]) -> str:
        return self.template.strip("^$").format_map(found.groupdict())


@lru_cache(maxsize=4096)
def _pattern(template: str) -> re.Pattern[str]:
    start = "^" if template.startswith("^") else r"(?:^|(?<=\.))"
    end = "$" if template.endswith("$") else r"(?=\.|$)"
    parts = re.split(r"\{(\w+)\}", template.strip("^$"))
    body = "".join(rf"(?P<{part}>\d+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(start + body + end)


def below(prefix: str, *heads: str) -> tuple[Row, ...]:
    """Return rows that put keys with one of these first segments under ``prefix`` of ours."""
    return tuple((f"^{head}", f"^{prefix}.{head}") for head in heads)


# --- what sees all keys ---------------------------------------------------------------------------
@dataclass(frozen=True)
class ReadOnly:
    """A prefix that some files have and nobody needs: cut off, never written."""

    prefix: str

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys without the prefix."""
        return [key.removeprefix(self.prefix) for key in keys]

    def theirs(self, keys: Sequence[str], facts: Facts) -> list[str | None]:
        """Return the keys as they are."""
        return list(keys)


@dataclass(frozen=True)
class Slots:
    """Self-attention that has a position of its own in the peer's list of blocks.

    ``<blocks>.<slot>.<rest>`` of an attention behind block b becomes ``attention.b.<rest>``, and later
    blocks move down.

    Args:
        blocks: name of the list.
        mark: what follows the position in a key that every self-attention has, and no block.
    """

    blocks: str
    mark: str

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with blocks counted as if there was no attention."""
        mark = re.compile(rf"{self.blocks}\.(\d+)\.{re.escape(self.mark)}$")
        taken = sorted({int(found[1]) for key in keys if (found := mark.match(key))})
        return [self._without(key, taken) for key in keys]

    def _without(self, key: str, taken: Sequence[int]) -> str:
        found = re.match(rf"{self.blocks}\.(\d+)\.(.*)", key)
        if not found:
            return key
        slot, before = int(found[1]), sum(other < int(found[1]) for other in taken)
        head = f"attention.{slot - before - 1}" if slot in taken else f"{self.blocks}.{slot - before}"
        return f"{head}.{found[2]}"

    def theirs(self, keys: Sequence[str], facts: Facts) -> list[str | None]:
        """Return the keys with attention in the list."""
        places = {int(found[1]) for key in keys if (found := re.match(r"attention\.(\d+)\.", key))}
        return [self._with(key, sorted(places)) for key in keys]

    def _with(self, key: str, places: Sequence[int]) -> str:
        found = re.match(rf"(attention|{self.blocks})\.(\d+)\.(.*)", key)
        if not found:
            return key
        index = int(found[2])
        slot = index + sum(place < index for place in places) + (found[1] == "attention")
        return f"{self.blocks}.{slot}.{found[3]}"


@dataclass(frozen=True)
class FirstApart:
    """A first block that stands outside the peer's list, which is counted from the second."""

    first: str
    blocks: str

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with the first block at position 0 of the list."""
        return [re.sub(rf"^{self.first}\.", f"{self.blocks}.0.", self._moved(key, 1)) for key in keys]

    def theirs(self, keys: Sequence[str], facts: Facts) -> list[str | None]:
        """Return the keys with the first block outside."""
        return [re.sub(rf"^{self.blocks}\.-1\.", f"{self.first}.", self._moved(key, -1)) for key in keys]

    def _moved(self, key: str, by: int) -> str:
        found = re.match(rf"{self.blocks}\.(\d+)\.(.*)", key)
        return f"{self.blocks}.{int(found[1]) + by}.{found[2]}" if found else key


@dataclass(frozen=True)
class Within:
    """A table of its own for the keys below a prefix, which both sides have."""

    prefix: str
    table: Table

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with our names below the prefix."""
        names = to_ours(self.table, self._inside(keys))
        return [self._renamed(key, names) for key in keys]

    def theirs(self, keys: Sequence[str], facts: Facts) -> list[str | None]:
        """Return the keys with the peer's names below the prefix."""
        names = to_theirs(self.table, self._inside(keys), facts)
        return [self._renamed(key, names) for key in keys]

    def _inside(self, keys: Sequence[str]) -> list[str]:
        return [key.removeprefix(self.prefix) for key in keys if key.startswith(self.prefix)]

    def _renamed(self, key: str, names: Mapping[str, str]) -> str | None:
        if not key.startswith(self.prefix):
            return key
        name = names.get(key.removeprefix(self.prefix))
        return None if name is None else f"{self.prefix}{name}"


class TorchHook:
    """Leaf names of torch's classic spectral norm, which keeps two vectors where ours keeps one."""

    LEAVES = (("weight_orig", "weight"), ("weight_u", "spectral.u0"), ("weight_v", "spectral.v0"))

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with our leaves."""
        return [_leaf(key, self.LEAVES) for key in keys]

    def theirs(self, keys: Sequence[str], facts: Facts) -> list[str | None]:
        """Return the keys with torch's leaves where a layer has both vectors."""
        hooked = {key.removesuffix("spectral.v0") for key in keys if key.endswith(".spectral.v0")}
        names = {f"{layer}{ours}": f"{layer}{theirs}" for layer in hooked for theirs, ours in self.LEAVES}
        return [names.get(key, key) for key in keys]


def _leaf(key: str, leaves: Iterable[tuple[str, str]]) -> str:
    for source, target in leaves:
        if key.endswith(f".{source}"):
            return key.removesuffix(source) + target
    return key


#: Spectral norm's leaves in BigGAN-PyTorch, its descendants and MMagic's ``ajbrock``.
AJBROCK_SPECTRAL: Table = (("u{i}$", "spectral.u{i}$"), ("sv{i}$", "spectral.sigma{i}$"))
#: Those of torch's classic hook.
TORCH_SPECTRAL: Table = (TorchHook(),)
