"""Where each component of the package is registered, found without importing it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
#: ``@REGISTRY.register_module()`` above a class or function, with or without a name of its own
REGISTERED = re.compile(
    r"^@(?P<registry>[A-Z_]+)\.register_module\((?:name=)?(?:\"(?P<given>[\w.-]+)\")?[^)\n]*\)\n"
    r"(?:@.*\n)*(?:class|def) (?P<defined>\w+)",
    flags=re.M,
)
#: ``REGISTRY.register_module(name="...", module=...)`` below it
REGISTERED_BELOW = re.compile(
    r"^(?P<registry>[A-Z_]+)\.register_module\(name=\"(?P<given>[\w.-]+)\", module=(?P<defined>\w+)\)$",
    flags=re.M,
)


def components_of(registry: str, locations: Sequence[str]) -> dict[str, str]:
    """Return name -> module of what modules of the package register.

    Args:
        registry: name of the registry in :mod:`mmcgan.registry`, such as ``HEADS``.
        locations: packages to look into; those that are not indexed are left out.
    """
    folders = [location for location in locations if is_indexed(location)]
    return {name: module for place in folders for at, name, module in _registered(place) if at == registry}


def is_indexed(location: str) -> bool:
    """Return whether a location is a package of ours; a module is imported for what it does beside."""
    return location.partition(".")[0] == PACKAGE.name and _place(location).is_dir()


def _place(location: str) -> Path:
    return PACKAGE.joinpath(*location.split(".")[1:])


@cache
def _registered(location: str) -> tuple[tuple[str, str, str], ...]:
    """Return (registry, name, module) of everything registered below ``location``."""
    return tuple(entry for file in sorted(_place(location).rglob("*.py")) for entry in _read(file))


def _read(file: Path) -> Iterator[tuple[str, str, str]]:
    text = file.read_text(encoding="utf-8")
    if ".register_module(" not in text:
        return
    module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for found in (*REGISTERED.finditer(text), *REGISTERED_BELOW.finditer(text)):
        yield found["registry"], found["given"] or found["defined"], module
