"""Dataclasses of options that a config gives as a dict, or one by one."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, is_dataclass, replace
from typing import Any, ClassVar, Protocol, TypeVar

from mmcgan.suggestions import nearest


class Dataclass(Protocol):
    """An instance of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Options = TypeVar("Options", bound=Dataclass)


def options_from(kind: type[Options], argument: str, given: Mapping[str, Any]) -> Options:
    """Return ``kind(**given)``.

    Args:
        kind: a dataclass.
        argument: what the dict was given as, for messages.
        given: its keys are fields of ``kind``.

    Raises:
        ValueError: an unknown key; the message has what is nearest to it.
    """
    known = [field.name for field in fields(kind)]
    for key in given:
        if key not in known:
            raise ValueError(f"{argument}: unknown option {key!r}.{nearest(str(key), known)}")
    return kind(**given)


def takes_options(constructor: Callable[..., None]) -> Callable[..., None]:
    """Let a constructor that takes groups of options be called with their fields by name.

    A parameter whose default is a dataclass is such a group. Whoever builds the component, a config before
    all, gives the fields themselves; the signature lists them in place of the group, with the defaults of
    that component's own default group. A group as a whole, under the parameter's name, is taken as well: a
    subclass can pass on what it got. ::

        class Plain(nn.Module):
            @takes_options
            def __init__(self, width: int, *, layers: LayerOptions = LayerOptions(init="normal")) -> None: ...


        Plain(8, init="orthogonal", spectral_norm=True)
    """
    own = inspect.signature(constructor)
    groups = {name: p.default for name, p in own.parameters.items() if is_dataclass(p.default)}
    members = {name: [field.name for field in fields(group)] for name, group in groups.items()}

    @functools.wraps(constructor)
    def construct(self: object, *values: Any, **given: Any) -> None:
        for name, names in members.items():
            chosen = {member: given.pop(member) for member in names if member in given}
            given[name] = replace(given.get(name, groups[name]), **chosen)
        constructor(self, *values, **given)

    parameters = [part for p in own.parameters.values() for part in _flat(p, groups.get(p.name))]
    hints = typing.get_type_hints(constructor)
    for name, group in groups.items():
        del hints[name]
        kinds = typing.get_type_hints(type(group))
        hints |= {member: kinds[member] for member in members[name]}
    construct.__annotations__ = hints
    construct.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return construct


def _flat(parameter: inspect.Parameter, group: Any) -> list[inspect.Parameter]:
    """Return a parameter itself, or those of the fields of its group."""
    if group is None:
        return [parameter]
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, kind, default=getattr(group, field.name), annotation=field.type)
        for field in fields(group)
    ]
