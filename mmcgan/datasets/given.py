"""What a constructor is called with, every default filled in, before anything is constructed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any


class Given(SimpleNamespace):
    """Arguments of a constructor by name.

    Raises:
        TypeError: one is asked for that the constructor does not have.
    """

    def __getattr__(self, name: str) -> Any:
        """Raise: whoever asks was written for another constructor."""
        raise TypeError(f"facts_of() asks for {name!r}, which the constructor does not take")


def given_to(kind: type, settings: Sequence[Any], named: Mapping[str, Any]) -> Given:
    """Return what ``kind(*settings, **named)`` would be given.

    Raises:
        TypeError: its constructor takes something else; the message names class and argument.
    """
    try:
        bound = inspect.signature(kind).bind(*settings, **named)
    except TypeError as error:
        raise TypeError(f"{kind.__name__} {error}") from None
    bound.apply_defaults()
    return Given(**bound.arguments)
