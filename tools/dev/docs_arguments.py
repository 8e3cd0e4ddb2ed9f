"""Gives the reference one row an argument: docstrings describe arguments of one kind together."""

from __future__ import annotations

import re
from typing import Any

import griffe

#: ``height, width: in pixels``, and the lines that go on below it
TOGETHER = re.compile(r"^( +)(\w+(?:, \w+)+): (.*(?:\n\1 +\S.*)*)", flags=re.M)
ROLE = re.compile(r":(?:class|func|meth|mod|attr|data):(?=`)")


def separated(text: str) -> str:
    """Return a docstring in which every argument has an entry, and names are names without Sphinx's roles."""

    def each(found: re.Match[str]) -> str:
        indent, names, words = found.groups()
        return "\n".join(f"{indent}{name}: {words}" for name in names.split(", "))

    return ROLE.sub("", TOGETHER.sub(each, text))


class SeparateArguments(griffe.Extension):
    """Applies :func:`separated` to every docstring that is shown."""

    def on_object(self, *, obj: Any, **others: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = separated(obj.docstring.value)
