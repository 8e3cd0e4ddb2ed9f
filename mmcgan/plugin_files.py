"""Commands, weights and zoo records of plugins, found by entry points without importing a plugin.

Three groups, each entry's value a dotted name:

* ``mmcgan.commands``: a module with ``declare(parser)`` and ``run(arguments)``, the command of the
  entry's name;
* ``mmcgan.weights``: a folder with ``index.json``, as ``mmcgan export-weights`` writes it, and its weights;
* ``mmcgan.zoo``: a folder with YAML files of zoo records.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

COMMANDS, WEIGHTS, ZOO = "mmcgan.commands", "mmcgan.weights", "mmcgan.zoo"


def entries(group: str) -> list[EntryPoint]:
    """Return the entry points of a group in the order of their names."""
    return sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value))


def brought_by(entry: EntryPoint) -> str:
    """Return the distribution and version that an entry point belongs to."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def folders(group: str) -> dict[str, Path]:
    """Return the folders that entry points of ``group`` name, by the entries' names; those that are there."""
    found = {entry.name: folder_of(entry.value) for entry in entries(group)}
    return {name: folder for name, folder in found.items() if folder is not None}


def folder_of(dotted: str) -> Path | None:
    """Return the folder ``package.sub.folder`` of an installed package, None if it is not there."""
    package, *rest = dotted.split(".")
    try:
        spec = find_spec(package)  # of a top-level package: looks for it and imports nothing
    except ValueError:  # no name of a package
        return None
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    candidates = (Path(place).joinpath(*rest) for place in places)
    return next((folder.resolve() for folder in candidates if folder.is_dir()), None)
