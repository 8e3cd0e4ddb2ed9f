"""Names of attributes: groups with one positive each, or free ones, and their multi-hot columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from mmcgan.suggestions import nearest

#: key of a group's dict in a config when any number of its attributes may be positive
FREE = "any_of"
#: combinations that are ever listed one by one
MOST_COMBINATIONS = 10_000
SHOWN_NAMES = 50

Spec = Mapping[str, Any]
Choice = Mapping[str, Any]


@dataclass(frozen=True)
class AttributeGroup:
    """A set of attributes of one kind.

    Attributes:
        name: such as ``digit`` or ``domain``.
        names: its attributes, in the order of their columns.
        exclusive: exactly one of them is positive; otherwise any number, none included.
        start: the first of its columns.
    """

    name: str
    names: tuple[str, ...]
    exclusive: bool = True
    start: int = 0

    @property
    def columns(self) -> slice:
        """Its columns of the multi-hot vector."""
        return slice(self.start, self.start + len(self.names))

    def describe(self) -> str:
        """Return name and attributes for messages."""
        shown = ", ".join(self.names[:SHOWN_NAMES]) + (", ..." if len(self.names) > SHOWN_NAMES else "")
        return f"{self.name} ({'one of' if self.exclusive else 'any of'} {shown})"

    def find(self, name: str) -> int:
        """Return the column of an attribute; capitals do not matter where that is unambiguous.

        Raises:
            ValueError: no such attribute; suggests names.
        """
        if name in self.names:
            return self.start + self.names.index(name)
        folded = [own.casefold() for own in self.names]
        if folded.count(name.casefold()) == 1:
            return self.start + folded.index(name.casefold())
        hint = nearest(name, list(self.names))
        raise ValueError(f"attribute group {self.name!r} has no {name!r}.{hint}")


@dataclass(frozen=True)
class AttributeGroups:
    """All groups of a data set; their columns stand side by side, as in Omni-GAN, Eq. 25.

    Attributes:
        groups: in the order of their columns, which is that of their names.
    """

    groups: tuple[AttributeGroup, ...]

    @classmethod
    def from_config(cls, spec: Spec) -> AttributeGroups:
        """Return the groups of ``{group: [names]}``, or ``{group: dict(any_of=[names])}`` for free ones.

        Raises:
            ValueError: no group, a group without names, of one exclusive name, with a name twice, or
                of the reserved name ``type``.
        """
        if not isinstance(spec, Mapping) or not spec:
            raise ValueError(f"attribute_groups must map group names to attribute names, got {spec!r}")
        groups, start = [], 0
        # by name: dumped configs and records sort their keys, so that the order of a dict would get lost
        for name, content in sorted(spec.items(), key=lambda item: str(item[0])):
            exclusive = not isinstance(content, Mapping)
            names = _names(str(name), content if exclusive else content.get(FREE), exclusive)
            groups.append(AttributeGroup(str(name), names, exclusive, start))
            start += len(names)
        return cls(tuple(groups))

    def to_config(self) -> dict[str, Any]:
        """Return what :meth:`from_config` takes, in plain lists and dicts."""
        return {g.name: list(g.names) if g.exclusive else {FREE: list(g.names)} for g in self.groups}

    def __len__(self) -> int:
        """Return the number of attributes of all groups, A."""
        return sum(len(group.names) for group in self.groups)

    def __iter__(self) -> Iterator[AttributeGroup]:
        return iter(self.groups)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of attributes of each group."""
        return tuple(len(group.names) for group in self.groups)

    @property
    def exclusive(self) -> tuple[AttributeGroup, ...]:
        """The groups with one positive each."""
        return tuple(group for group in self.groups if group.exclusive)

    @property
    def num_combinations(self) -> int:
        """Number of ways to choose one attribute of every exclusive group."""
        return math.prod(len(group.names) for group in self.exclusive)

    def describe(self) -> str:
        """Return all groups for messages."""
        return "; ".join(group.describe() for group in self.groups)

    def group(self, name: str) -> AttributeGroup:
        """Return the group ``name``.

        Raises:
            ValueError: no such group; suggests names and lists the groups.
        """
        for group in self.groups:
            if group.name == name:
                return group
        hint = nearest(name, [group.name for group in self.groups])
        raise ValueError(f"no attribute group {name!r}.{hint} Groups: {self.describe()}")

    def check(self, attributes: Tensor, where: str) -> None:
        """Check that (N, A) attributes are 0 or 1, with one positive in every exclusive group.

        Raises:
            ValueError: names ``where``, the first bad row and the group.
        """
        if attributes.ndim != 2 or attributes.shape[1] != len(self):
            raise ValueError(f"{where}: attributes must be (N, {len(self)}), got {tuple(attributes.shape)}")
        if not ((attributes == 0) | (attributes == 1)).all():
            raise ValueError(f"{where}: attributes must be 0 or 1")
        for group in self.exclusive:
            bad = (attributes[:, group.columns].sum(1) != 1).nonzero().flatten()
            if len(bad):
                found = self.names(attributes[int(bad[0])])[group.name] or "none"
                raise ValueError(
                    f"{where}: image {int(bad[0])} has {found} of {group.describe()}; needs exactly one"
                )

    def names(self, vector: Tensor) -> dict[str, list[str]]:
        """Return the positive attributes of (A,) by group."""
        on = [bool(value) for value in vector.tolist()]
        return {g.name: [n for n, v in zip(g.names, on[g.columns], strict=True) if v] for g in self.groups}

    def label(self, vector: Tensor) -> str:
        """Return a short text for (A,), such as ``digit=3 domain=textured``."""
        return " ".join(f"{group}={'+'.join(names)}" for group, names in self.names(vector).items())

    # --- choosing -----------------------------------------------------------------------------

    def columns_of(self, choice: Choice) -> dict[str, list[list[int]]]:
        """Return, for every group named in ``choice``, the alternatives as lists of positive columns.

        Args:
            choice: group -> an attribute; for exclusive groups also a list of alternatives; for free
                groups a list is what is positive together.

        Raises:
            ValueError: an unknown group or attribute; suggests names.
        """
        found: dict[str, list[list[int]]] = {}
        for name, wanted in choice.items():
            group = self.group(str(name))
            values = [wanted] if isinstance(wanted, str | int) else list(wanted)
            columns = [group.find(str(value)) for value in values]
            found[group.name] = [[column] for column in columns] if group.exclusive else [columns]
            if group.exclusive and not columns:
                raise ValueError(f"attribute group {group.name!r}: nothing chosen of {group.describe()}")
        return found

    def matching(self, choice: Choice) -> Tensor:
        """Return all combinations that ``choice`` allows, float32 (K, A).

        Exclusive groups that are not named go through all their attributes, the first group fastest;
        free attributes that are not named are off.

        Raises:
            ValueError: an unknown group or attribute, or too many combinations to list.
        """
        chosen = self.columns_of(choice)
        options = [
            chosen.get(g.name, [[c] for c in range(len(self))[g.columns]] if g.exclusive else [[]])
            for g in self.groups
        ]
        count = math.prod(map(len, options))
        if count > MOST_COMBINATIONS:
            raise ValueError(
                f"{count:,} combinations of attributes are too many to list (at most "
                f"{MOST_COMBINATIONS:,}); choose more of: {self.describe()}"
            )
        rows = torch.zeros(count, len(self))
        # product() moves the last fastest; the first group is to be the fastest
        for row, columns in zip(rows, product(*reversed(options)), strict=True):
            row[[column for part in columns for column in part]] = 1
        return rows

    def shows(self, attributes: Tensor, choice: Choice) -> Tensor:
        """Return which rows of (N, A) show what ``choice`` names, bool (N,).

        Raises:
            ValueError: an unknown group or attribute; suggests names.
        """
        found = torch.ones(len(attributes), dtype=torch.bool)
        for alternatives in self.columns_of(choice).values():
            found &= torch.stack([attributes[:, a].bool().all(1) for a in alternatives]).any(0)
        return found

    def combination(self, index: int) -> Tensor:
        """Return combination ``index`` modulo :attr:`num_combinations`, float32 (A,); free ones off."""
        row = torch.zeros(len(self))
        for group in self.exclusive:
            index, place = divmod(index, len(group.names))
            row[group.start + place] = 1
        return row

    # --- counting -----------------------------------------------------------------------------

    def count(self, attributes: Tensor) -> list[list[Any]]:
        """Return ``[[positive columns], number of images]`` of every combination in (N, A)."""
        rows, counts = attributes.to(torch.uint8).unique(dim=0, return_counts=True)
        pairs = zip(rows, counts.tolist(), strict=True)
        return [[row.nonzero().flatten().tolist(), number] for row, number in pairs]


def _names(group: str, names: Any, exclusive: bool) -> tuple[str, ...]:
    if group == "type":
        raise ValueError("attribute_groups: 'type' cannot be a group's name, configs use it; choose another")
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        raise ValueError(
            f"attribute group {group!r} must be a list of names, or dict({FREE}=[names]), got {names!r}"
        )
    texts = tuple(str(name) for name in names)
    if len(set(texts)) < len(texts):
        raise ValueError(f"attribute group {group!r} has a name twice: {', '.join(texts)}")
    if exclusive and len(texts) < 2:
        raise ValueError(
            f"attribute group {group!r} has one name only, {texts[0]!r}, and would always be positive; "
            f"an attribute that is on or off is dict({FREE}=[{texts[0]!r}])"
        )
    return texts


def attribute_facts(groups: AttributeGroups, attributes: Tensor, image_size: int) -> dict[str, Any]:
    """Return a data set's facts about attributes (N, A); counts are left out if there are too many."""
    counts = groups.count(attributes)
    facts = dict(
        num_classes=0,
        image_size=image_size,
        num_attributes=len(groups),
        attribute_groups=groups.to_config(),
    )
    return facts if len(counts) > MOST_COMBINATIONS // 5 else {**facts, "attribute_counts": counts}
