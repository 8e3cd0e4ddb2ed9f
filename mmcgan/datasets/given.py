"""What a constructor is called with, every default filled in, before anything is constructed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any


class Given(SimpleNamespace):
    """Arguments of a constructor by name.

    Args:
        kind: whose constructor, for messages.
        arguments: all that it takes.
    """

    __slots__ = ("_kind",)

    def __init__(self, kind: str, arguments: Mapping[str, Any]) -> None:
        super().__init__(**arguments)
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        """Raise TypeError: whoever asks was written for another constructor."""
        raise TypeError(f"{self._kind}: facts_of() asks for {name!r}, which its constructor does not take")


def given_to(kind: type, settings: Sequence[Any], named: Mapping[str, Any]) -> Given:
    """Return what ``kind(*settings, **named)`` would be given.

    Raises:
        TypeError: its constructor takes something else; the message names class and argument.
    """
    try:
        bound = inspect.signature(kind).bind(*settings, **named)
    except TypeError as error:
        raise TypeError(f"{kind.__name__}: {error}") from None
    bound.apply_defaults()
    return Given(kind.__name__, bound.arguments)
