"""Configs that come with files: data, checked against a closed world before anything is built.

A file of weights says what its networks are built from. Whoever made the file wrote that, so that it is read
as plain data, and everything it asks for must be in a closed world: components of mmcgan or of a plugin that
the user installed, with settings that are numbers and words. What a component reads from the disk it
declares as ``disk_arguments``, the names of its constructor's arguments; such files must lie in the model's
own folder. What only the user may say, such as that a program is trusted or a download wanted, stands in
``user_arguments``. A data set without ``disk_arguments`` may read anything and is built for nobody else's
file.

:func:`build` is the one way from a config in a file to an object, :func:`inspect` the one way to keep such a
config for later, :func:`parse_record` and :func:`parse_config_text` the ways from text to a config.
"""

from __future__ import annotations

import inspect as inspection
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmcgan import registry as r
from mmcgan.allocations import bounded_by
from mmcgan.checkpoints.literals import assignments
from mmcgan.contracts import declared
from mmcgan.origin import ADVICE, built_for, leaves, shortened
from mmcgan.origin import Origin as Origin
from mmcgan.origin import RefusedConfigError as RefusedConfigError
from mmcgan.origin import named as named
from mmcgan.plugins import load_plugins
from mmcgan.provenance import absence
from mmcgan.suggestions import nearest
from mmcgan.text_files import printable
from mmcgan.weights import read_index

#: what the files of other people may name; losses, hooks, runners and metrics are not in them
OPEN_TO_FILES: tuple[r.ClosedRegistry, ...] = (
    *(r.GENERATORS, r.BACKBONES, r.HEADS, r.SAMPLERS, r.DATASETS, r.TRANSFORMS, r.EXTRACTORS),
)
#: keys of MMEngine that import, inherit or replace
REFUSED_KEYS = ("_scope_", "_base_", "_delete_", "_reserved_", "custom_imports", "runner_type")
DEEPEST, LONGEST_NAME = 24, 200  # levels of a config; characters of a component's name
LONGEST_TEXT = 1 << 22  # characters of a record or config


# --- from text to a config ----------------------------------------------------------------------
def parse_record(text: Any, source: str | Path) -> dict[str, Any]:
    """Return the JSON object in a file's metadata.

    Raises:
        RefusedConfigError: no text, no JSON object, too long or too deep.
    """
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise RefusedConfigError(f"{source}: its record is missing or longer than {LONGEST_TEXT} characters")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedConfigError(f"{source}: its record cannot be read ({shortened(error)})") from error
    if not isinstance(record, dict):
        kind = type(record).__name__
        raise RefusedConfigError(f"{source}: its record cannot be read (it is a {kind}, not an object)")
    return record


def parse_config_text(text: Any, source: str | Path, own: bool = False) -> dict[str, Any]:
    """Return the config that a checkpoint's ``meta`` holds as text, read without executing it.

    Args:
        text: of the config.
        source: the file, for messages.
        own: whether it is the user's own, which may have ``custom_imports``; they are not imported either.

    Raises:
        RefusedConfigError: no text of assignments of literals, too long, or it asks for imports other than
            of plugins.
    """
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise RefusedConfigError(f"{source}: its config is no text or longer than {LONGEST_TEXT} characters")
    try:
        config = assignments(text)
    except ValueError as error:
        raise RefusedConfigError(f"{source}: its config cannot be read ({shortened(error)})") from error
    for key in ("_base_", "_scope_", "_delete_"):
        if key in config:
            raise RefusedConfigError(f"{source}: its config has {key!r}, which no file may. {ADVICE}")
    if not own:
        _check_imports(config.get("custom_imports"), source)
    kind = config.get("runner_type", "GANRunner")
    if not isinstance(kind, str) or r.RUNNERS.own(kind) is None:
        raise RefusedConfigError(f"{source}: its config asks for runner_type={kind!r}, which is not here")
    return config


def _check_imports(settings: Any, source: str | Path) -> None:
    names = settings.get("imports", []) if isinstance(settings, Mapping) else settings or []
    plugins = [module.__name__ for module in load_plugins().values()]
    for name in [names] if isinstance(names, str) else names:
        if not any(name == plugin or str(name).startswith(f"{plugin}.") for plugin in plugins):
            asked = f"its config has custom_imports of {name!r}, which a file cannot have imported"
            raise RefusedConfigError(f"{source}: {asked}. {ADVICE}")


# --- checking -----------------------------------------------------------------------------------
def inspect(config: Any, origin: Origin, what: str) -> dict[str, Any]:
    """Return a config of a file as plain data, to be kept and perhaps built later, by :func:`build`.

    Names of components that are not here pass, as long as they are mere words: a model can be used without
    the data set it was trained with.

    Args:
        config: what the file says.
        origin: the file.
        what: the part's name in messages, such as ``condition_sampler``.

    Raises:
        RefusedConfigError: something else than data, a key of MMEngine's machinery, or a dotted ``type``.
    """
    data = _plain(config, origin, what, 0)
    if not isinstance(data, dict):
        raise RefusedConfigError(f"{origin.source}: {what} is a {type(data).__name__}, not a dict")
    for path, node in _components(data, what):
        _named(node["type"], origin, path, late=True)
    return data


def build(
    registry: r.ClosedRegistry | Callable[..., Any],
    config: Any,
    origin: Origin,
    what: str,
    **given: Any,
) -> Any:
    """Return what a config of a file describes.

    Args:
        registry: where its ``type`` is looked up; or what takes the config as keywords, for a config without
            ``type``.
        config: what the file says.
        origin: the file.
        what: the part's name in messages.
        given: further settings, ours.

    Raises:
        RefusedConfigError: it asks for something outside the closed world, or cannot be built.
        FileNotFoundError, ValueError: from the component.
    """
    data = checked(config, origin, what, typed=isinstance(registry, r.ClosedRegistry))
    with named(origin, what), bounded_by(origin), built_for(origin):
        if isinstance(registry, r.ClosedRegistry):
            return registry.build({**given, **data})
        return registry(**given, **{key: value for key, value in data.items() if key != "type"})


def checked(config: Any, origin: Origin, what: str, typed: bool = True) -> dict[str, Any]:
    """Return a config of a file as data whose every wish is in the closed world, paths made absolute.

    Raises:
        RefusedConfigError: names what is not.
    """
    load_plugins()
    data = inspect(config, origin, what)
    if typed and "type" not in data:
        raise RefusedConfigError(f"{origin.source}: {what} has no 'type'")
    _check_texts(data, origin, what)
    return data


def _plain(value: Any, origin: Origin, where: str, depth: int) -> Any:
    """Return a copy of ``value`` of dicts, lists, numbers, texts, True, False and None."""
    if depth > DEEPEST:
        raise RefusedConfigError(f"{origin.source}: {where} nests deeper than {DEEPEST} levels")
    if isinstance(value, Mapping):
        for key in value:
            if key in REFUSED_KEYS or not isinstance(key, str | int):
                raise RefusedConfigError(f"{origin.source}: {where} has the key {key!r}, which no file may")
        return {key: _plain(item, origin, f"{where}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, origin, f"{where}.{i}", depth + 1) for i, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise RefusedConfigError(f"{origin.source}: {where} is a {type(value).__name__}, not a number or text")


def _components(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every dict with a ``type``, at any depth, and where it stands."""
    if isinstance(value, dict):
        if "type" in value:
            yield path, value
        for key, item in value.items():
            yield from _components(item, f"{path}.{key}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _components(item, f"{path}.{index}")


def _named(kind: Any, origin: Origin, path: str, late: bool = False) -> Any:
    """Return the component called ``kind``; None if it is not here and need not be yet.

    Raises:
        RefusedConfigError: no component of mmcgan or a plugin.
    """
    if not isinstance(kind, str):
        raise RefusedConfigError(f"{origin.source}: {path}.type is {kind!r}, not a name")
    if len(kind) > LONGEST_NAME:
        raise RefusedConfigError(f"{origin.source}: {path}.type is longer than a name: {kind[:40]!r}...")
    if "." in kind:  # of a plugin's namespace
        load_plugins()
    for registry in OPEN_TO_FILES:
        found = registry.own(kind)
        if found is not None:
            return found
    foreign = any(x.parent is not None and x.parent.module_dict.get(kind) for x in OPEN_TO_FILES)
    stated = kind in origin.components and kind.replace(".", "", 1).isidentifier()
    if late and (kind.isidentifier() or stated) and not foreign:
        return None
    known = absence(kind, origin.components)
    if known is not None:
        raise RefusedConfigError(f"{origin.source}: {path}: {known}")
    names = [name for registry in OPEN_TO_FILES for name in registry.names()]
    raise RefusedConfigError(
        f"{origin.source}: its config asks for {path}: no component named {kind!r} in mmcgan or an installed "
        f"plugin.{nearest(kind, names) if kind.isidentifier() else ''}{r.failures()}"
    )


# --- what is read from the disk -----------------------------------------------------------------
def _check_texts(value: Any, origin: Origin, path: str) -> None:
    """Check the components and texts of ``value``; make the paths in it absolute, in place."""
    if isinstance(value, dict):
        _check_component(value, origin, path)
    for index, item in enumerate(value if isinstance(value, list) else ()):
        _check_texts(item, origin, f"{path}.{index}")
    if isinstance(value, str) and not origin.own and leaves(value):
        raise RefusedConfigError(
            f"{origin.source}: {path}={value!r} leads outside the model's folder. {ADVICE}"
        )


def _check_component(value: dict[str, Any], origin: Origin, path: str) -> None:
    files: tuple[str, ...] = ()
    if "type" in value:
        component = _named(value["type"], origin, path)
        _check_settings(component, value, origin, path)
        files = _files_of(component, value, origin, path)
    for key, item in value.items():
        inner = f"{path}.{key}"
        if key in files or (origin.own and isinstance(item, str)):
            value[key] = _files(item, origin, key in files, inner)
        elif key != "type":
            _check_texts(item, origin, inner)


def _check_settings(component: Any, config: dict[str, Any], origin: Origin, path: str) -> None:
    """Refuse settings that a component has no argument for."""
    parameters = inspection.signature(component).parameters.values()
    if any(parameter.kind is inspection.Parameter.VAR_KEYWORD for parameter in parameters):
        return
    for key in config:
        if key != "type" and key not in [parameter.name for parameter in parameters]:
            raise RefusedConfigError(f"{origin.source}: {path}: {config['type']} takes no {key!r}")


def _files_of(component: Any, config: dict[str, Any], origin: Origin, path: str) -> tuple[str, ...]:
    """Return which settings of a component name files.

    Raises:
        RefusedConfigError: a data set that reads the disk where the config does not say, or does not declare
            what it reads.
    """
    if origin.own:
        return tuple(declared(component, "disk_arguments") or ())
    is_dataset = r.DATASETS.own(config["type"]) is component
    # of a data set, its own word: a subclass elsewhere may read more than its parent
    files = vars(component).get("disk_arguments") if is_dataset else declared(component, "disk_arguments")
    if files is None and is_dataset:
        raise RefusedConfigError(
            f"{origin.source}: {path} is the data set {config['type']}, which may read any file of this "
            f"disk. {ADVICE}"
        )
    for name in declared(component, "user_arguments"):
        if config.get(name) not in (None, False):
            raise RefusedConfigError(
                f"{origin.source}: {path}.{name}={config[name]!r} is for the user to say, not for a file. "
                f"{ADVICE}"
            )
    parameters = inspection.signature(component).parameters
    for name in files or ():
        default = parameters[name].default
        if name not in config and default not in (None, False, inspection.Parameter.empty):
            raise RefusedConfigError(
                f"{origin.source}: {path} is the data set {config['type']}, which reads {name}={default!r} "
                f"of this disk. {ADVICE}"
            )
    return tuple(files or ())


def _files(value: Any, origin: Origin, is_file: bool, path: str) -> Any:
    """Return the value of a setting with the names of files in it as they lead to something."""
    if isinstance(value, list):
        return [_files(item, origin, is_file, f"{path}.{index}") for index, item in enumerate(value)]
    if not isinstance(value, str):
        _check_texts(value, origin, path)
        return value
    return _users_file(value, origin, is_file) if origin.own else _own_file(value, origin, path)


def _users_file(text: str, origin: Origin, is_file: bool) -> str:
    """Return a text of the user's own file; a path as it leads to something, see :meth:`Origin.found`."""
    if text.removesuffix(".safetensors") in read_index() or not (is_file or "/" in text):
        return text
    return origin.found(text)


def _own_file(value: str, origin: Origin, path: str) -> str:
    """Return the absolute path of a file in the model's folder; a name of weights that ship as it is."""
    if value.removesuffix(".safetensors") in read_index() and not leaves(value):
        return value
    folder = None if origin.folder is None else origin.folder.resolve()
    if folder is None or leaves(value) or not origin.holds(folder / value):
        raise RefusedConfigError(
            f"{origin.source}: {path}={value!r} leads outside the model's folder. {ADVICE}"
        )
    way_out = origin.way_out(folder / value)
    if way_out is not None:
        raise RefusedConfigError(
            f"{origin.source}: {path}={value!r} holds {printable(way_out)}, which leads outside the model's "
            f"folder or cannot be listed. {ADVICE}"
        )
    return str(folder / value)
