"""Which distribution, of which version, a config's components came from, and what to say without it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mmcgan.plugins import Plugin, installed_plugins
from mmcgan.registry import SCOPE, SuggestingRegistry, every_registry
from mmcgan.version import __version__

#: in place of a distribution, for classes of modules that belong to none
MODULE = "module"
#: distributions that mmcgan needs anyway
EVERYWHERE = ("mmengine", "mmcv", "torch")


def origins(config: Any) -> dict[str, str]:
    """Return ``type`` -> "distribution version" of every component in a config, at any depth.

    A class of a module of nobody's distribution (``custom_imports``) is "module NAME". What is not
    registered, and what MMEngine and torch bring, is left out.
    """
    found = {kind: _origin(kind) for kind in dict.fromkeys(_kinds(config))}
    return {kind: origin for kind, origin in sorted(found.items()) if origin is not None}


def origins_of_types(configs: Any, known: Mapping[str, str]) -> dict[str, str]:
    """Return those of a file's origins whose ``type`` stands in some of its configs."""
    return {kind: known[kind] for kind in dict.fromkeys(_kinds(configs)) if kind in known}


def _kinds(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for item in value.values():
            yield from _kinds(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _kinds(item)


def _origin(kind: str) -> str | None:
    for registry in every_registry():
        if kind in registry._index:
            return f"{SCOPE} {__version__}"
        component = _held(registry, kind)
        if component is not None:
            return origin_of_module(str(component.__module__))
    return None


def _held(registry: SuggestingRegistry, kind: str) -> Any:
    return registry.in_namespace(kind) or registry._module_dict.get(kind)


def origin_of_module(module: str) -> str | None:
    """Return "distribution version" of a module, "module NAME" of nobody's, None of what it needs anyway."""
    package = module.partition(".")[0]
    if package == SCOPE:
        return f"{SCOPE} {__version__}"
    if package in EVERYWHERE:
        return None
    for plugin in installed_plugins():
        if plugin.package == package:
            return f"{plugin.distribution} {plugin.version}"
    names = _distributions().get(package)
    return f"{names[0]} {importlib.metadata.version(names[0])}" if names else f"{MODULE} {module}"


@cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def absence(kind: str, known: Mapping[str, str]) -> str | None:
    """Return what to say of a component that is not here, as a file that uses it remembers where it was from.

    Args:
        kind: the component's name in the file's config.
        known: the file's :func:`origins`.
    """
    origin = known.get(kind)
    if origin is None:
        return None
    name, _, version = origin.rpartition(" ")
    if name == MODULE:
        return (
            f"it needs {kind!r} of the module {version!r}, which its training imported by custom_imports and "
            "which belongs to no package: give CONFIG FILE, with a config whose custom_imports has it"
        )
    if name == SCOPE:
        return f"it needs {kind!r} of mmcgan {version}; this is {__version__}"
    plugin = _plugin_of(name)
    needed = f"it needs the plugin {name} {version} for {kind!r}: "
    if plugin is None:
        return f"{needed}not installed (python3 -m pip install {name}=={version})"
    if plugin.error is not None:
        return f"{needed}{plugin.distribution} {plugin.version} failed with {plugin.error}"
    return f"{needed}{plugin.distribution} {plugin.version} is installed and has it no more"


def _plugin_of(distribution: str) -> Plugin | None:
    wanted = _normal(distribution)
    return next((x for x in installed_plugins() if _normal(x.distribution) == wanted), None)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def requirements(known: Mapping[str, str]) -> list[str]:
    """Return what to install beside mmcgan for the components of a file, ``name==version`` each."""
    pairs = sorted({origin for origin in known.values() if origin.partition(" ")[0] not in (SCOPE, MODULE)})
    return ["==".join(origin.rsplit(" ", 1)) for origin in pairs]


def modules(known: Mapping[str, str]) -> list[str]:
    """Return the modules of nobody's distribution that a file's components are of."""
    return sorted({o.partition(" ")[2] for o in known.values() if o.partition(" ")[0] == MODULE})


def read_origins(value: Any) -> dict[str, str]:
    """Return the origins that a file states, {} if they are none: they serve messages only."""
    if not isinstance(value, Mapping):
        return {}
    entries = {key: text for key, text in value.items() if isinstance(key, str) and isinstance(text, str)}
    return {key[:200]: " ".join(text.split())[:200] for key, text in entries.items()}
