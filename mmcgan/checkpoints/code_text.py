"""Configs that are written: Python in which every text from outside is data.

A config is a program, and MMEngine fills in its ``{{...}}`` before Python reads it. Names of folders, files
and settings come from anywhere. Whatever writes a config puts it together from what is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from pathlib import Path

#: columns of a line, and of what shares one with others
LONGEST, SHORT = 110, 60


def inherits(bases: Sequence[str]) -> str:
    """Return the line by which a config inherits ``bases``, our files below ``configs``, without ending."""
    return f"_base_ = {[f'{{{{$MMCGAN_CONFIGS:}}}}/{base}.py' for base in bases]!r}"


def assignment(name: str, value: object) -> str:
    """Return ``name = value``, over as many lines as it takes.

    Args:
        name: ours, an identifier.
        value: of dicts, lists, tuples and literals, from anywhere.
    """
    return f"{name} = {as_code(value, reserved=len(name) + 3)}"


def comment(text: str) -> str:
    """Return a comment that stays one line and is no template, whatever it says."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return "# " + re.sub(r"\{(?=\{)", "{ ", shown)


def beside(name: str, folder: Path) -> str:
    """Return the code of the path of a file that lies beside the config, wherever both are moved to.

    Args:
        name: of the file.
        folder: of the config. MMEngine pastes its name into the code as it is: where that would not be the
            same text, the path is written out.
    """
    here = folder.resolve().as_posix()
    if literal(here) != f"'{here}'" or '"' in here:
        return literal(f"{here}/{name}")
    rest = literal(f"/{name}")
    return f"{rest[0]}{{{{ fileDirname }}}}{rest[1:]}"


def literal(value: object) -> str:
    """Return a value as a config says it; MMEngine fills in ``{{...}}`` before Python reads the text."""
    return without_templates(repr(value))


def without_templates(code: str) -> str:
    """Return code that means the same and has no ``{{``, which stands in texts alone."""
    return code.replace("{{", "{\\x7b")


def as_code(value: object, indent: int = 0, reserved: int = 0) -> str:
    """Return a value as Python that people read: ``dict(...)``, on one line where it fits.

    Args:
        value: of dicts, lists, tuples and literals.
        indent: columns before the lines that follow.
        reserved: columns before the first line.
    """
    short = _short(value)
    if not isinstance(value, Mapping) or indent + reserved + len(short) < LONGEST:
        return short
    inner = indent + 4
    named = _is_named(value)
    lines: list[str] = []
    for key, entry in value.items():
        head = f"{key}=" if named else f"{literal(key)}: "
        text = f"{head}{as_code(entry, inner, len(head) + 1)},"
        # what is short shares a line
        if lines and len(text) < SHORT and len(lines[-1]) + len(text) < LONGEST and "\n" not in lines[-1]:
            lines[-1] += f" {text}"
        else:
            lines.append(" " * inner + text)
    opening, closing = ("dict(", ")") if named else ("{", "}")
    return "\n".join([opening, *lines, " " * indent + closing])


def _short(value: object) -> str:
    if not isinstance(value, Mapping):
        return literal(value)
    if _is_named(value):
        return f"dict({', '.join(f'{key}={_short(entry)}' for key, entry in value.items())})"
    return f"{{{', '.join(f'{literal(key)}: {_short(entry)}' for key, entry in value.items())}}}"


def _is_named(value: Mapping[object, object]) -> bool:
    """Return whether all keys can stand as ``dict(key=...)``, which changes some letters."""
    return all(
        isinstance(key, str) and key.isidentifier() and key.isascii() and not iskeyword(key) for key in value
    )
