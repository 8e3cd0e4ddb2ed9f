"""Which kinds of conditions there are: mmcgan's, plugins', and what is done with all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Generator, Tensor

from mmcgan.condition_fields.base import ConditionField
from mmcgan.registry import CONDITION_FIELDS
from mmcgan.structures import FIELDS, Condition, check_field

#: what a data set knows of its images themselves
IMAGE_FACTS = ("image_size", "image_channels")


def field_names() -> tuple[str, ...]:
    """Return the names of all fields: those of mmcgan, then those of plugins."""
    return tuple(dict.fromkeys([*FIELDS, *CONDITION_FIELDS.named()]))


def condition_field(name: str) -> ConditionField:
    """Return the kind of a field.

    Raises:
        ValueError: no such field; suggests names.
    """
    check_field(name)
    return _built(CONDITION_FIELDS.require(name))


@cache
def _built(kind: type[ConditionField]) -> ConditionField:
    field = kind()
    CONDITION_FIELDS.check_built(field)
    return field


def fact_names() -> tuple[str, ...]:
    """Return the names of what data sets can tell, see :meth:`mmcgan.datasets.base.GANDataset.facts`."""
    told = [fact for name in field_names() for fact in condition_field(name).facts]
    return tuple(dict.fromkeys([*IMAGE_FACTS, *told]))


def size_facts() -> tuple[str, ...]:
    """Return the names of the facts that are sizes of fields: numbers of classes, lengths."""
    kinds = [condition_field(name) for name in field_names()]
    return tuple(kind.facts[0] for kind in kinds if kind.facts)


def told_fields(facts: Mapping[str, Any]) -> dict[str, int]:
    """Return the fields that items of a data set have by its facts, with their sizes.

    Args:
        facts: what the set tells; a size of 0 or none says that there is no such field.
    """
    firsts = {name: kind.facts[0] for name in field_names() if (kind := condition_field(name)).facts}
    sizes = {name: facts.get(first) for name, first in firsts.items()}
    return {name: int(size) for name, size in sizes.items() if isinstance(size, int) and size > 0}


def condition_of(batch: Mapping[str, Any]) -> Condition:
    """Return the condition in a batch of a data set; keys that are no fields are left out."""
    present = [name for name in field_names() if batch.get(name) is not None]
    return Condition.of({name: condition_field(name).typed(batch[name]) for name in present})


def mirrored(condition: Condition, flipped: Tensor) -> Condition:
    """Return what ``condition`` says where the images that ``flipped`` (N,), bool, marks are mirrored."""
    changed = {}
    for name, value in condition.present().items():
        other = condition_field(name).mirrored(value)
        if other is not value:
            changed[name] = torch.where(flipped.view(-1, *[1] * (value.dim() - 1)), other, value)
    return Condition.of({**condition.present(), **changed})


def made_up_condition(
    requires: Sequence[str],
    n: int,
    size_of: Callable[[str], int],
    image_size: tuple[int, int],
    source: Generator,
) -> Condition:
    """Return ``n`` conditions as a data set could have them.

    Args:
        requires: names of fields.
        n: number of rows.
        size_of: field -> its size.
        image_size: height and width of the images.
        source: of all random numbers.

    Raises:
        ValueError: no such field.
    """
    return Condition.of(
        {name: condition_field(name).made_up(n, size_of(name), image_size, source) for name in requires}
    )
