"""What ``mmcgan sample`` does with a model that is conditioned on attributes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.apis.drawing import Draw, Plan
from mmcgan.attributes import AttributeGroups
from mmcgan.samplers.drawing import ATTRIBUTES, draw_conditions
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel

OPTION = "--attributes"
#: images without a number asked for, where combinations do not say how many
DEFAULT_NUM = 16
#: combinations that are shown one each without a number asked for
MOST_SHOWN = 100


def given_attributes(texts: Sequence[str] | None, option: str = OPTION) -> dict[str, list[str]] | None:
    """Return :func:`parse_attributes` of the texts of an option, None where it was not given."""
    return None if texts is None else parse_attributes(texts, option)


def parse_attributes(texts: Sequence[str], option: str = OPTION) -> dict[str, list[str]]:
    """Return group -> names of texts like ``digit=3``, ``digit=3,5`` or ``traits=`` (none of them).

    Args:
        texts: of the command line.
        option: that they were given with, for messages.

    Raises:
        ValueError: a text without ``=``, or a group twice.
    """
    choice: dict[str, list[str]] = {}
    for text in texts:
        group, separator, names = text.partition("=")
        if not separator or not group:
            raise ValueError(f"{option} {text}: write GROUP=NAME, such as digit=3, or GROUP=NAME,NAME")
        if group in choice:
            raise ValueError(f"{option}: group {group!r} is there twice; write {group}=NAME,NAME")
        choice[group] = [name for name in names.split(",") if name]
    return choice


def attribute_groups(loaded: LoadedModel) -> AttributeGroups:
    """Return the names of the attributes that ``loaded`` is conditioned on.

    Raises:
        ValueError: it is conditioned on none, or does not know their names.
    """
    if "attributes" not in loaded.requires:
        raise ValueError(f"{loaded.name} is not conditioned on attributes, so that they cannot be chosen")
    for part in (loaded.record.generator, loaded.record.condition_sampler):
        if part.get("attribute_groups"):
            return AttributeGroups.from_config(part["attribute_groups"])
    raise ValueError(f"{loaded.name} does not say the names of its attributes (attribute_groups)")


def attribute_plan(draw: Draw, wanted: Mapping[str, Any] | None, num: int | None) -> Plan:
    """Return what to generate: the combinations that ``wanted`` allows, in turn.

    Args:
        draw: the model; its seed is that of drawn attributes too.
        wanted: group -> name or names; exclusive groups that are not named go through all of theirs, free
            attributes that are not named are off. None takes all combinations; of a model with free
            attributes, or with very many combinations, what training asks for.
        num: number of images; None takes one of each combination, if they are few.

    Raises:
        ValueError: an unknown group or attribute; suggests names.
    """
    groups = attribute_groups(draw.loaded)
    listable = len(groups.exclusive) == len(groups.groups) and groups.num_combinations <= MOST_SHOWN
    if wanted is None and not listable:
        return _drawn_plan(draw, groups, DEFAULT_NUM if num is None else num)
    try:
        combinations = groups.matching(wanted or {})
    except ValueError as error:
        raise ValueError(f"{draw.loaded.name}: {error}") from error
    few = len(combinations) if 1 < len(combinations) <= MOST_SHOWN else DEFAULT_NUM
    count = few if num is None else num
    columns = min(_columns(groups, combinations) or math.ceil(math.sqrt(count)), count)
    texts = [groups.label(row) for row in combinations]

    def batch(rows: range) -> tuple[Condition, Tensor]:
        chosen = combinations[torch.tensor(rows) % len(combinations)]
        return Condition(attributes=chosen), draw.latents(rows)

    def text(row: int) -> str:
        return texts[row % len(texts)]

    return Plan(count, columns, batch, lambda row: _name(row, text(row)), text=text)


def _drawn_plan(draw: Draw, groups: AttributeGroups, count: int) -> Plan:
    """Return the plan of images whose attributes are drawn as in training."""

    def condition(rows: Iterable[int]) -> Condition:
        return draw_conditions(draw.loaded.condition_sampler, draw.seed, rows, ATTRIBUTES)

    def text(row: int) -> str:
        attributes = condition([row]).attributes
        assert attributes is not None
        return groups.label(attributes[0])

    return Plan(
        count,
        math.ceil(math.sqrt(count)),
        lambda rows: (condition(rows), draw.latents(rows)),
        lambda row: _name(row, text(row)),
        text=text,
    )


def _name(row: int, label: str) -> str:
    """Return the name of image ``row`` without suffix."""
    text = re.sub(r"[^A-Za-z0-9.+=-]+", "_", label).replace("=", "-")
    return f"{row:05d}_{text}"[:120]


def _columns(groups: AttributeGroups, combinations: Tensor) -> int:
    """Return how many attributes of the fastest group that varies there are; 0 if none varies."""
    for group in groups.exclusive:
        used = int(combinations[:, group.columns].any(0).sum())
        if used > 1:
            return used
    return 0
