"""What a message suggests in place of a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

#: up to so many names a message lists all of them where none is close
FEW = 30


def nearest(name: str, choices: Sequence[str]) -> str:
    """Return " Did you mean ...?" for the closest choices; else all of a few, or the nearest of many.

    Examples:
        >>> nearest("HingLoss", ["HingeLoss", "R1"])
        " Did you mean 'HingeLoss'?"
    """
    close = difflib.get_close_matches(name, list(dict.fromkeys(choices)), n=3, cutoff=0.5)
    if close:
        return f" Did you mean {' or '.join(map(repr, close))}?"
    known = sorted(set(choices))
    if len(known) <= FEW:
        return f" Known: {', '.join(known) or 'none'}."
    closest = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
    return f" None of the {len(known)} known names is close; the nearest are {', '.join(map(repr, closest))}."
