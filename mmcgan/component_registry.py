"""The kinds of registries: what is looked up in them, under which names, and what is refused.

Nothing is imported before it is looked up: a name leads to the module that registers it
(:mod:`mmcgan.component_index`), and that one alone is imported. What a plugin registers is there once the
plugin is imported, as ``Name`` unless that is taken, and as ``plugin.Name``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from mmengine.registry import Registry

from mmcgan.component_index import components_of, is_indexed
from mmcgan.contracts import Bases
from mmcgan.suggestions import nearest

SCOPE = "mmcgan"
#: where the registries are
TABLES = "mmcgan.registry"
#: plugins that could not be imported: name -> package, version and error
FAILED_PLUGINS: dict[str, str] = {}
#: the plugin that is being imported
_REGISTERING: list[str] = []

Snapshot = list[tuple["SuggestingRegistry", dict[str, Any], dict[str, dict[str, Any]]]]


class SuggestingRegistry(Registry):
    """A registry whose failed look-up names the registry, the bad name and the nearest good ones."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: components of plugins: plugin -> name -> component, those whose name is taken too
        self.namespaces: dict[str, dict[str, Any]] = {}

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        """Register a class or function; of a plugin as ``plugin.Name``, and as ``Name`` unless that is taken.

        Raises:
            KeyError: the name is taken.
        """
        plugin = _REGISTERING[-1] if _REGISTERING and not _is_ours(module) else None
        if plugin is None:
            super()._register_module(module, module_name, force)
            return
        given = module_name or module.__name__
        for name in [given] if isinstance(given, str) else given:
            own = self.namespaces.setdefault(plugin, {})
            if name in own and not force:
                raise KeyError(f"{name} is already registered in {self.name} by the plugin {plugin!r}")
            if not self._is_taken(name) or self._module_dict.get(name) is own.get(name, self):
                super()._register_module(module, name, force)
            own[name] = module

    def _is_taken(self, name: str) -> bool:
        """Return whether a name means something already: of ours, of a plugin, or of MMEngine's."""
        if self.parent is not None:
            self.parent.import_from_location()
        return self.declares(name) or (self.parent is not None and name in self.parent._module_dict)

    def in_namespace(self, key: str) -> Any:
        """Return the component called ``plugin.Name``; None if ``key`` is no such name."""
        named = ((key.removeprefix(f"{x}."), x) for x in self.namespaces if key.startswith(f"{x}."))
        return next((self.namespaces[x][name] for name, x in named if name in self.namespaces[x]), None)

    @cached_property
    def _index(self) -> dict[str, str]:
        """Name -> module of what the package registers here."""
        tables = vars(sys.modules[TABLES])
        variable = next(name for name, value in tables.items() if value is self)
        return components_of(variable, self._locations)

    def declares(self, name: str) -> bool:
        """Return whether mmcgan or an imported plugin registers ``name`` here, without importing it."""
        return name in self._module_dict or name in self._index

    def _import(self, name: str) -> None:
        """Import the module that registers ``name``, if one of the package does."""
        if name not in self._module_dict and name in self._index:
            importlib.import_module(self._index[name])

    def _import_others(self) -> None:
        """Import the locations that are not indexed: of other distributions, or single modules."""
        for location in self._locations:
            if not is_indexed(location):
                importlib.import_module(location)

    def import_from_location(self) -> None:
        """Do nothing: a look-up imports what it needs, see :meth:`import_all`."""

    def import_all(self) -> None:
        """Import everything that can be registered here."""
        for name in self._index:
            self._import(name)
        self._import_others()

    @property
    def module_dict(self) -> dict[str, Any]:
        """Everything that is registered here, imported."""
        self.import_all()
        return self._module_dict

    def get(self, key: Any) -> Any:
        """Return what is registered as ``key``, here or in a parent; None if nothing is."""
        if isinstance(key, str):
            found = self.in_namespace(key)
            if found is not None:
                return found
            self._import(key.removeprefix(f"{SCOPE}."))
            if not self.declares(key.removeprefix(f"{SCOPE}.")):
                self._import_others()
        return super().get(key)

    def names(self) -> list[str]:
        """Return the names that can be written as ``type`` here, plugins' and parents' included."""
        _import_plugins()
        own = list(self.module_dict)
        own += [
            f"{x}.{name}"
            for x, held in self.namespaces.items()
            for name in held
            if held[name] not in self._module_dict.values()
        ]
        if self.parent is None:
            return own
        self.parent.import_from_location()
        return own + list(self.parent._module_dict)

    def named(self) -> dict[str, Any]:
        """Return everything that is registered here by the name to be written, ours before plugins'."""
        _import_plugins()
        found = {name: value for name, value in self.module_dict.items() if _is_ours(value)}
        found |= {name: value for name, value in self.module_dict.items() if name not in found}
        held = [(plugin, name, x) for plugin, own in self.namespaces.items() for name, x in own.items()]
        return found | {f"{plugin}.{name}": x for plugin, name, x in held if found.get(name) is not x}

    def require(self, name: str) -> type:
        """Return the class registered as ``name``.

        Raises:
            KeyError: nothing of that name; the message suggests the nearest names.
        """
        found = self.get(name)
        if found is None:
            _import_plugins()
            found = self.get(name)
        if found is None:
            raise KeyError(
                f"{self.name}: no component named {name!r}.{nearest(name, self.names())}{failures()}"
            )
        return found

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        """Build ``cfg`` (a dict with ``type``), checking the name first."""
        if isinstance(cfg, dict) and isinstance(cfg.get("type"), str):
            self.require(cfg["type"])
        return super().build(cfg, *args, **kwargs)


class ClosedRegistry(SuggestingRegistry):
    """A registry of nothing but what is registered.

    MMEngine's registries import ``package.object`` for a name that they do not know, and the module that
    ``_scope_`` names; classes of theirs build their children that way too. Configs of generators, samplers
    and data sets come with the weights of other people, which could run any function so. Here a name is one
    of our own, of a plugin, or one of ``adopted``: classes of MMEngine and mmcv that build nothing.

    Args:
        adopted: names of the parent that are handed out although MMEngine or mmcv made them.
        bases: of its components, ``module:Class``; what is registered and built keeps their contract.
    """

    def __init__(
        self, *args: Any, adopted: tuple[str, ...] = (), bases: tuple[str, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.adopted = adopted
        self.bases = Bases(bases)

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        """Register a class or function.

        Raises:
            ContractError: a class that lacks what its role needs.
            KeyError: the name is taken.
        """
        if self.bases.places:
            self.bases.check_class(module)
        super()._register_module(module, module_name, force)

    def get(self, key: Any) -> Any:
        """Return what is registered as ``key``, here or in the parent; None if nothing is.

        Raises:
            TypeError: ``key`` is no text.
        """
        if not isinstance(key, str):
            raise TypeError(f"{self.name}: a component is named by text, got {key!r}")
        in_namespace = self.in_namespace(key)
        if in_namespace is not None:
            return in_namespace
        name = key.removeprefix(f"{SCOPE}.")
        self._import(name)
        if not self.declares(name):
            self._import_others()
        if name in self._module_dict or self.parent is None:
            return self._module_dict.get(name)
        self.parent.import_from_location()
        name = key.removeprefix(f"{self.parent.scope}.")
        found = self.parent._module_dict.get(name)
        return found if name in self.adopted or not _of_openmmlab(found) else None

    def own(self, key: str) -> Any:
        """Return what mmcgan or a plugin registered here as ``key``, or one of ``adopted``; else None."""
        found = self.get(key)
        known = key in self._module_dict or key in self.adopted or self.in_namespace(key) is not None
        return found if known else None

    def names(self) -> list[str]:
        """Return the names that can be written as ``type`` here."""
        return [name for name in super().names() if self.get(name) is not None]

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the component that ``cfg`` describes: its ``type`` called with everything else.

        MMEngine's own function would look ``type`` up in whatever registry the current scope leads to.

        Raises:
            TypeError: ``cfg`` is no dict.
            KeyError: no ``type``, or nothing of that name.
            ValueError: ``cfg`` has a ``_scope_``, for which MMEngine would import a module.
            ContractError: what was built lacks what its role needs.
        """
        if not isinstance(cfg, Mapping):
            raise TypeError(f"{self.name}: cfg should be a dict with 'type', got {cfg!r}")
        settings = {**cfg}
        if "type" not in settings:
            raise KeyError(f"{self.name}: the config must contain the key 'type', got {settings}")
        if settings.pop("_scope_", SCOPE) != SCOPE:
            raise ValueError(f"{self.name}: _scope_={cfg['_scope_']!r}: components are of scope {SCOPE!r}")
        kind = settings.pop("type")
        # a class stands for itself in configs that their user wrote as Python
        component = self.require(kind) if isinstance(kind, str) or not callable(kind) else kind
        built = component(*args, **settings, **kwargs)
        self.check_built(built)
        return built

    def check_built(self, component: Any) -> None:
        """Refuse a component whose values are not those of its role.

        Raises:
            ContractError: names the class, what it lacks, and the page.
        """
        if self.bases.places:
            self.bases.check_built(component)


class FieldRegistry(ClosedRegistry):
    """A registry whose names stand in data, where no namespace can be written: each belongs to one class."""

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        """Register a class.

        Raises:
            ContractError: a class that lacks what its role needs.
            KeyError: the name is taken.
        """
        for name in [module_name] if isinstance(module_name, str) else module_name or [module.__name__]:
            taken = self.get(name)
            if taken is not None and taken is not module:
                raise KeyError(
                    f"the {self.name} {name!r} of {module.__module__} is taken by {taken.__module__}; data "
                    "sets give it by this name alone: choose another"
                )
        super()._register_module(module, module_name, force)


def _of_openmmlab(component: Any) -> bool:
    return component is not None and str(component.__module__).partition(".")[0] in ("mmengine", "mmcv")


def _import_plugins() -> None:
    """Import what is installed, so that its names are there; while a plugin is being imported, do nothing."""
    if not _REGISTERING:
        importlib.import_module(f"{SCOPE}.plugins").load_plugins()


def failures() -> str:
    """Return a sentence about the plugins that failed, for messages about names that are not known."""
    return "".join(f" The plugin {name!r} failed ({why})." for name, why in FAILED_PLUGINS.items())


@contextmanager
def registering_for(plugin: str) -> Iterator[None]:
    """Put what is registered meanwhile into the namespace of a plugin."""
    _REGISTERING.append(plugin)
    try:
        yield
    finally:
        _REGISTERING.pop()


def every_registry() -> tuple[SuggestingRegistry, ...]:
    """Return all registries of mmcgan."""
    return tuple(
        value for value in vars(sys.modules[TABLES]).values() if isinstance(value, SuggestingRegistry)
    )


def snapshot() -> Snapshot:
    """Return what is registered now, for :func:`restore`."""
    return [
        (each, dict(each._module_dict), {name: dict(held) for name, held in each.namespaces.items()})
        for each in every_registry()
    ]


def restore(before: Snapshot) -> None:
    """Forget what was registered since ``before``, but for modules of mmcgan that were imported meanwhile."""
    for registry, modules, namespaces in before:
        for name in set(registry._module_dict) - set(modules):
            if not _is_ours(registry._module_dict[name]):
                del registry._module_dict[name]
        registry.namespaces = namespaces


def adopt(plugin: str, package: str) -> None:
    """Put what a package had registered before it was loaded as a plugin into that plugin's namespace."""
    for registry in every_registry():
        for name, component in registry._module_dict.items():
            if str(component.__module__).partition(".")[0] == package:
                registry.namespaces.setdefault(plugin, {}).setdefault(name, component)


def added_since(before: Snapshot, plugin: str) -> dict[str, tuple[str, ...]]:
    """Return the names that a plugin has registered, by registry."""
    found = {registry.name: tuple(registry.namespaces.get(plugin, {})) for registry, _, _ in before}
    return {name: names for name, names in found.items() if names}


def _is_ours(component: Any) -> bool:
    return str(component.__module__).partition(".")[0] == SCOPE
