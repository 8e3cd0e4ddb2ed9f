"""The commands that do in a terminal what a tab did: shown to be copied."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any


def command(name: str, *words: Any, **options: Any) -> str:
    """Return a command line of ``mmcgan``.

    Args:
        name: of the command.
        words: its positional arguments.
        options: by name with ``_`` for ``-``; None and False are left out, True has no value, a sequence has
            several.
    """
    line = ["mmcgan", name, *map(str, words)]
    for key, value in options.items():
        if value is None or value is False or value == []:
            continue
        line.append(f"--{key.replace('_', '-')}")
        if value is not True:
            line += map(str, value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return shlex.join(map(str, line))
