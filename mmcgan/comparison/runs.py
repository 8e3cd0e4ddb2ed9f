"""What a work folder says of its run: settings, logged figures, the newest weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.files import list_checkpoints
from mmcgan.checkpoints.literals import assignments
from mmcgan.comparison.starts import read_figures
from mmcgan.figure_directions import LESS, better
from mmcgan.scalars import Series, read_scalars

ABSENT = "-"
SEED = "randomness.seed"
#: settings that say where a run is and nothing about it
PLACES = ("work_dir", "resume", "launcher", "experiment_name", "visualizer", "log_processor")


@dataclass(frozen=True)
class RunRecord:
    """One run.

    Attributes:
        name: what it is called on the page.
        folder: its work folder.
        settings: its config's leaves by dotted path.
        series: logged figures by name and iteration.
        config: the file its settings stand in.
        evaluated: figures that its evaluations have recorded: name -> ``less`` or ``greater``, None if it
            is not known which is better.
    """

    name: str
    folder: Path
    settings: Mapping[str, Any]
    series: Mapping[str, Series]
    config: Path
    evaluated: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def checkpoint(self) -> Path | None:
        """The newest numbered checkpoint."""
        return next(iter(list_checkpoints(self.folder)), None)

    def figures(self) -> list[str]:
        """Return the names of figures of evaluations: recorded ones, and others that a metric declares."""
        # of what is called a loss the log keeps running means, not what was evaluated
        recorded = [key for key in self.evaluated if "loss" not in key]
        return [key for key in self.series if key in recorded or ("/" not in key and is_figure(key))]

    def way(self, name: str) -> str | None:
        """Return ``less`` or ``greater``, whichever is better of a figure; None if that is not known."""
        return self.evaluated.get(name) or better(name)


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but the seed."""

    name: str
    runs: tuple[RunRecord, ...]


def is_figure(key: str) -> bool:
    """Return whether a logged name is a figure of quality: one that has a better side and is no loss."""
    return better(key) is not None and "loss" not in key


def best_of(series: Series | None, way: str | None) -> float | None:
    """Return the best value of a figure; None where there is none but NaN, or no way is better."""
    values = [value for value in (series or {}).values() if not math.isnan(value)]
    if not values or way is None:
        return None
    return min(values) if way == LESS else max(values)


def last_of(series: Series | None) -> float | None:
    """Return the last value of a figure."""
    return series[max(series)] if series else None


def read_run(name: str, folder: Path, figures_needed: bool = True) -> RunRecord:
    """Return what a work folder says; its config is read as data.

    Args:
        name: what the run is called on the page.
        folder: its work folder.
        figures_needed: whether a run that has logged nothing is refused.

    Raises:
        FileNotFoundError: the folder has no config, or no logged figures where they are needed.
        ValueError: one of them is damaged.
    """
    try:
        series = read_scalars(folder)
    except FileNotFoundError:
        if figures_needed:
            raise
        series = {}
    configs = sorted(folder.glob("*.py"))
    if not configs:
        raise FileNotFoundError(f"{folder} has no config (looked for {folder}/*.py): not a run's work folder")
    try:
        found = assignments(configs[0].read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{configs[0]}: cannot be read as a run's config: {error}") from error
    settings = {path: value for path, value in leaves(found) if path.split(".")[0] not in PLACES}
    return RunRecord(name, folder, settings, series, configs[0], read_figures(folder))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted path and value of everything that is no dictionary, and no list of dictionaries."""
    if isinstance(value, Mapping):
        items: Any = value.items()
    elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
        items = enumerate(value)
    else:
        yield path, value
        return
    for key, item in items:
        yield from leaves(item, f"{path}.{key}" if path else str(key))


def differing(runs: Sequence[RunRecord]) -> dict[str, list[Any]]:
    """Return the settings in which runs differ: path -> a value per run, :data:`ABSENT` where there is none.

    Names that a config uses itself (``_decay``) are left out, and settings of the test that differ as
    those of the validation do.
    """
    paths = dict.fromkeys(path for run in runs for path in run.settings if not path.startswith("_"))
    table = {path: [run.settings.get(path, ABSENT) for run in runs] for path in paths}
    found = {path: values for path, values in table.items() if any(value != values[0] for value in values)}
    return {path: values for path, values in found.items() if found.get(_of_validation(path)) != values}


def _of_validation(path: str) -> str:
    """Return the validation's setting beside one of the test; nothing for others."""
    return "val_" + path.removeprefix("test_") if path.startswith("test_") else ""


def groups_of(runs: Sequence[RunRecord]) -> list[Group]:
    """Return the runs in groups that differ in nothing but the seed, called after their first."""
    found: dict[str, list[RunRecord]] = {}
    for run in runs:
        key = repr(sorted((path, repr(value)) for path, value in run.settings.items() if path != SEED))
        found.setdefault(key, []).append(run)
    return [Group(members[0].name, tuple(members)) for members in found.values()]
