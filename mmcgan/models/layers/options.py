"""Dataclasses of options that a config gives as a dict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
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
