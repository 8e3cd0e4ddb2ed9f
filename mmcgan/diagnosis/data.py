"""Which data sets of other people are here, and where they were looked for."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from mmcgan.diagnosis.finding import Finding


def data_sets() -> list[Finding]:
    """Return a line per registered data set that has a folder of its own by default.

    A class says where by a classmethod ``default_folders()``; of others it is the default of the first of
    their ``disk_arguments``. Sets that are made, or whose folder the user names, cannot be looked for.
    """
    import mmcgan.datasets  # noqa: F401 - fills the registry
    from mmcgan.registry import DATASETS

    found = []
    for name in sorted(DATASETS.names()):
        folders = _default_folders(DATASETS.require(name))
        if folders:
            found.append(_looked(name, folders))
    return found


def _default_folders(kind: Any) -> list[Path]:
    told = [Path(folder) for folder in kind.default_folders()]
    if told:
        return told
    parameters = inspect.signature(kind).parameters
    names = [name for name in (kind.disk_arguments or ())[:1] if name in parameters]
    defaults = (parameters[name].default for name in names)
    return [Path(default) for default in defaults if isinstance(default, str)]


def _looked(name: str, folders: list[Path]) -> Finding:
    here = [folder for folder in folders if folder.is_dir()]
    if here:
        return Finding(name, f"in {here[0]}")
    return Finding(name, "not here; looked in " + ", ".join(map(str, folders)))
