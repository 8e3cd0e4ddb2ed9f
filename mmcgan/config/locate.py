"""Where configs are: a path, or the bare name of one that comes with the project or a plugin."""

from __future__ import annotations

import warnings
from pathlib import Path

import mmcgan
from mmcgan.plugins import plugin_config_folders
from mmcgan.registry import failures
from mmcgan.suggestions import nearest

PACKAGE = Path(mmcgan.__file__).resolve().parent


def config_folders() -> list[Path]:
    """Return the folders searched by name: the repository's, the installed one, the plugins'."""
    return list(dict.fromkeys([*own_folders(), *plugin_config_folders().values()]))


def own_folders() -> list[Path]:
    """Return the folders of configs that come with mmcgan: the repository's and the installed one."""
    candidates = [PACKAGE.parent / "configs", PACKAGE / ".mim" / "configs"]
    return [folder.resolve() for folder in candidates if (folder / "_base_").is_dir()]


def all_configs(folder: Path | None = None) -> list[Path]:
    """Return every config under ``folder`` (default: all known folders), without ``_base_``."""
    folders = config_folders() if folder is None else [folder]
    files = [file for root in folders for file in sorted(root.rglob("*.py"))]
    return [file for file in files if "_base_" not in file.parts and not file.name.startswith("_")]


def find_config(path_or_name: str | Path) -> Path:
    """Return the config file of a path, or of a bare name with or without ``.py``.

    ``plugin::name`` is the config of that plugin; a bare name that mmcgan has too is mmcgan's, and a
    warning says so.

    Raises:
        FileNotFoundError: no such file and no such name; suggests the nearest names.
        ValueError: the name is ambiguous.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path.resolve()
    plugin, separator, rest = str(path_or_name).partition("::")
    if separator:
        return _of_plugin(plugin, rest)
    relative = Path(*path.parts[1:]) if path.parts[:1] == ("configs",) else path
    for folder in config_folders():
        if (folder / relative).is_file():
            return (folder / relative).resolve()
    known = all_configs()
    name = path.name.removesuffix(".py")
    found = [file for file in known if file.stem == name]
    if len(path.parts) > 1 or not found:
        hint = nearest(name, [file.stem for file in known])
        raise FileNotFoundError(
            f"no config {str(path_or_name)!r}: neither a file nor a known name.{hint}{failures()}"
        )
    own = [file for file in found if _plugin_of(file) is None]
    if len(own or found) > 1:
        choices = ", ".join(f"{_plugin_of(file) or '(mmcgan)'}::{name} ({file})" for file in found)
        raise ValueError(f"config name {name!r} is ambiguous: {choices}")
    if len(found) > 1:
        others = " and ".join(f"{_plugin_of(file)}::{name}" for file in found if file not in own)
        warnings.warn(f"config {name!r} is mmcgan's; there is {others} too", stacklevel=2)
    return (own or found)[0]


def _plugin_of(file: Path) -> str | None:
    """Return the plugin that a config comes with; None for mmcgan's own."""
    owners = plugin_config_folders().items()
    return next((name for name, folder in owners if file.is_relative_to(folder)), None)


def _of_plugin(plugin: str, name: str) -> Path:
    folders = plugin_config_folders()
    if plugin not in folders:
        hint = nearest(plugin, list(folders))
        raise FileNotFoundError(f"no installed plugin {plugin!r} with configs.{hint}{failures()}")
    known = all_configs(folders[plugin])
    found = [file for file in known if file.stem == Path(name).name.removesuffix(".py")]
    if len(found) != 1:
        hint = nearest(name, [file.stem for file in known])
        raise FileNotFoundError(f"the plugin {plugin!r} has {len(found) or 'no'} configs {name!r}.{hint}")
    return found[0]
