"""Packages that add components: anything installed with an entry point in ``mmcgan.plugins``.

The entry point's name is the plugin's namespace, its value a module; importing it registers its components. A
module may also set ``CONFIG_FOLDER`` so that its configs are found by name. A plugin that fails half-way
leaves nothing behind. Commands, weights and zoo records have entry points of their own, so that they are
found without importing anything (:mod:`mmcgan.plugin_files`).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mmcgan import registry

GROUP = "mmcgan.plugins"
CONFIGS = "CONFIG_FOLDER"
#: what names in configs begin with already
RESERVED = (registry.SCOPE, "mmengine", "mmcv")


@dataclass(frozen=True)
class Plugin:
    """An installed plugin.

    Attributes:
        name: its namespace.
        distribution, version: the package that brings it.
        module: its dotted name.
        loaded: the module; None if it failed.
        error: why it failed; None if it did not.
        adds: names of components by registry.
        config_folder: of its configs, None without any.
    """

    name: str
    distribution: str
    version: str
    module: str
    loaded: Any = None
    error: str | None = None
    adds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    config_folder: Path | None = None

    @property
    def package(self) -> str:
        """The top-level package of its module."""
        return self.module.partition(".")[0]


def load_plugins() -> MappingProxyType[str, Any]:
    """Import every installed plugin once and return the modules that were loaded, by the plugins' names.

    A plugin that fails is named in a warning with its error; the others are loaded all the same.
    """
    return MappingProxyType({p.name: p.loaded for p in installed_plugins() if p.error is None})


def installed_plugins() -> tuple[Plugin, ...]:
    """Return every installed plugin, imported; also those that failed."""
    return _load_all()


@cache
def _load_all() -> tuple[Plugin, ...]:
    entries = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))
    found: list[Plugin] = []
    for entry in entries:
        why = _unusable(entry, found)
        found.append(_load_one(entry) if why is None else _failed(entry, why))
    registry.FAILED_PLUGINS.clear()
    registry.FAILED_PLUGINS.update(
        {p.name: f"{p.distribution} {p.version}: {p.error}" for p in found if p.error}
    )
    return tuple(found)


def _unusable(entry: EntryPoint, found: list[Plugin]) -> str | None:
    """Return why an entry point cannot be a plugin whatever is in it; None if it can."""
    if entry.pattern.match(entry.value) is None:
        return f"{entry.value!r} is no name of a module"
    if entry.name in RESERVED:
        return f"a plugin cannot be called {entry.name!r}, whose names begin with {entry.name}. already"
    twin = next((plugin for plugin in found if plugin.name == entry.name), None)
    return None if twin is None else f"the name {twin.name!r} is that of the plugin of {twin.distribution}"


def _load_one(entry: EntryPoint) -> Plugin:
    before = registry.snapshot()
    modules = set(sys.modules)
    try:
        with registry.registering_for(entry.name):
            module = entry.load()
        folder = _config_folder(module)
    except BaseException as error:  # foreign code: whatever it raises must not stop us
        registry.restore(before)
        for name in set(sys.modules) - modules:
            if name.partition(".")[0] == entry.module.partition(".")[0]:
                del sys.modules[name]
        failed = _failed(entry, f"{type(error).__name__}: {error}".rstrip(": "))
        if isinstance(error, KeyboardInterrupt):  # most likely the user's
            raise KeyboardInterrupt(
                f"while the plugin {entry.name!r} of {failed.distribution} was imported"
            ) from error
        return failed
    distribution, version = _origin(entry)
    registry.adopt(entry.name, entry.module.partition(".")[0])
    adds = registry.added_since(before, entry.name)
    return Plugin(entry.name, distribution, version, entry.module, module, None, adds, folder)


def _failed(entry: EntryPoint, error: str) -> Plugin:
    distribution, version = _origin(entry)
    warnings.warn(
        f"plugin {entry.name!r} of {distribution} {version} ({entry.value}) is not available: {error}",
        stacklevel=2,
    )
    module = entry.value if entry.pattern.match(entry.value) is None else entry.module
    return Plugin(entry.name, distribution, version, module, error=error)


def _origin(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unknown package", "?")


def _config_folder(module: Any) -> Path | None:
    """Return the folder of configs that a plugin names.

    Raises:
        FileNotFoundError: it is not there.
    """
    folder = vars(module).get(CONFIGS)
    if folder is None:
        return None
    path = Path(folder).resolve()
    if not path.is_dir():
        raise FileNotFoundError(f"{module.__name__}.{CONFIGS} is {str(folder)!r}, which is no folder")
    return path


def plugin_config_folders() -> dict[str, Path]:
    """Return the folders of configs by the names of the plugins that have one."""
    found = [(plugin.name, plugin.config_folder) for plugin in installed_plugins()]
    return {name: folder for name, folder in found if folder is not None}
