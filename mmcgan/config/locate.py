"""Where configs are: a path, or the bare name of one that comes with the project or a plugin."""

from __future__ import annotations

from pathlib import Path

import mmcgan
from mmcgan.plugins import plugin_config_folders
from mmcgan.suggestions import nearest

PACKAGE = Path(mmcgan.__file__).resolve().parent


def config_folders() -> list[Path]:
    """Return the folders searched by name: the repository's, the installed one, the plugins'."""
    candidates = [PACKAGE.parent / "configs", PACKAGE / ".mim" / "configs"]
    own = [folder.resolve() for folder in candidates if (folder / "_base_").is_dir()]
    return list(dict.fromkeys([*own, *plugin_config_folders()]))


def all_configs(folder: Path | None = None) -> list[Path]:
    """Return every config under ``folder`` (default: all known folders), without ``_base_``."""
    folders = config_folders() if folder is None else [folder]
    files = [file for root in folders for file in sorted(root.rglob("*.py"))]
    return [file for file in files if "_base_" not in file.parts and not file.name.startswith("_")]


def find_config(path_or_name: str | Path) -> Path:
    """Return the config file of a path, or of a bare name with or without ``.py``.

    Raises:
        FileNotFoundError: no such file and no such name; suggests the nearest names.
        ValueError: the name is ambiguous.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path.resolve()
    relative = Path(*path.parts[1:]) if path.parts[:1] == ("configs",) else path
    for folder in config_folders():
        if (folder / relative).is_file():
            return (folder / relative).resolve()
    known = all_configs()
    name = path.name.removesuffix(".py")
    found = [file for file in known if file.stem == name]
    if len(path.parts) > 1 or not found:
        hint = nearest(name, [file.stem for file in known])
        raise FileNotFoundError(f"no config {str(path_or_name)!r}: neither a file nor a known name.{hint}")
    if len(found) > 1:
        raise ValueError(f"config name {name!r} is ambiguous: {', '.join(map(str, found))}")
    return found[0]
