"""One line of a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: fine; worth knowing, nothing needed is missing; something needed does not work
OK, NOTE, BROKEN = "ok", "note", "broken"


@dataclass(frozen=True)
class Finding:
    """What was looked at and what was found.

    Attributes:
        name: of what was looked at.
        value: JSON types; a text is shown as it is.
        status: ``ok``, ``note`` (slow, or something optional is missing) or ``broken``.
        advice: what to do, empty if nothing.
    """

    name: str
    value: Any
    status: str = OK
    advice: str = ""
