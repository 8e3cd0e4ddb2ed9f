"""Packages whose names are imported when they are used."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

GUARD = "TYPE_CHECKING"


def lazy_exports(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that imports its names when they are asked for.

    The names are those that the package's ``__init__`` imports under ``if TYPE_CHECKING:``, so that they
    stand once and type checkers see them::

        if TYPE_CHECKING:
            from mmcgan.losses.adversarial import HingeLoss
        else:
            __getattr__, __dir__ = lazy_exports(__name__)

    A name must not be that of a module of the package, which would hide it.

    Args:
        package: its ``__name__``, while its ``__init__`` runs.
    """
    places = imported_names(Path(str(sys.modules[package].__file__)))

    def __getattr__(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = places[name]
        if module == package:  # a module of the package itself
            return importlib.import_module(f"{package}.{name}")
        value = getattr(importlib.import_module(module), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return __getattr__, __dir__


def imported_names(file: Path) -> dict[str, str]:
    """Return name -> module of what a file imports for type checkers."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    guarded = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == GUARD
    ]
    imports = [statement for node in guarded for statement in node.body]
    return {
        alias.name: str(statement.module)
        for statement in imports
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
