"""Packages that add components: anything installed with an entry point in ``mmcgan.plugins``.

The entry point names a module; importing it registers its components. A module may also set
``CONFIG_FOLDER`` so that its configs are found by name.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

GROUP = "mmcgan.plugins"


def load_plugins() -> MappingProxyType[str, Any]:
    """Import every installed plugin once and return what was loaded, by name.

    A plugin that fails is named in a warning with its error; the others are loaded all the same.
    """
    return MappingProxyType(_load_all())


@cache
def _load_all() -> dict[str, Any]:
    loaded = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        module = _load_one(entry)
        if module is not None:
            loaded[entry.name] = module
    return loaded


def _load_one(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:  # a plugin is foreign code: whatever it raises must not stop us
        origin = entry.dist.name if entry.dist else "unknown package"
        warnings.warn(
            f"plugin {entry.name!r} of {origin} ({entry.value}) is not available: "
            f"{type(error).__name__}: {error}",
            stacklevel=2,
        )
        return None


def plugin_config_folders() -> list[Path]:
    """Return the ``CONFIG_FOLDER`` of every loaded plugin that has one."""
    folders = [getattr(module, "CONFIG_FOLDER", None) for module in load_plugins().values()]
    return [Path(folder).resolve() for folder in folders if folder is not None]
