"""What each start of a run writes down for its report: when, on what, its figures, its last evaluation.

A run that is resumed has a folder per start. A start that was killed has no end in its file.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.figure_directions import GREATER, LESS, SPREAD, better
from mmcgan.text_files import content_of, read_json

START, EVALUATION, FIGURES = "start.json", "evaluation.json", "figures.json"
FINISHED = "finished"


@dataclass(frozen=True)
class Start:
    """One start of a run.

    Attributes:
        began: seconds since 1970.
        first: iteration it began at.
        environment: what it ran on, in words.
        ended: seconds since 1970; None while it runs and of one that was killed.
        last: iteration it ended at.
        images: real images seen by then, by all starts.
        how: it ended: ``finished``, or the name of the signal.
    """

    began: float
    first: int
    environment: Mapping[str, str] = field(default_factory=dict)
    ended: float | None = None
    last: int | None = None
    images: int | None = None
    how: str | None = None

    def end(self, last: int, images: int | None, how: str) -> Start:
        """Return the start once it has ended."""
        return replace(self, ended=time.time(), last=last, images=images, how=how)


def write_start(folder: Path, start: Start) -> None:
    """Write ``start.json`` atomically."""
    write_file(folder / START, json.dumps(asdict(start), indent=1))


def write_evaluation(folder: Path, iteration: int, report: Mapping[str, Any]) -> None:
    """Write ``evaluation.json``: an evaluator's report, with the iteration it is of."""
    write_file(folder / EVALUATION, json.dumps({"iteration": iteration, **report}, indent=1, default=str))


def ways_of(names: Iterable[str]) -> dict[str, str | None]:
    """Return figure -> ``less``, ``greater`` or None, as the metrics of this process declare them.

    Spreads of figures that are there too are left out.
    """
    present = list(names)
    spreads = {name + SPREAD for name in present}
    return {name: better(name) for name in present if name not in spreads}


def write_figures(folder: Path, ways: Mapping[str, str | None]) -> None:
    """Write ``figures.json``: what was evaluated, and which way is better where that is known.

    Metrics come by ``custom_imports`` and plugins, which another process need not have.
    """
    write_file(folder / FIGURES, json.dumps(ways, indent=1))


def read_figures(work_dir: Path) -> dict[str, str | None]:
    """Return the figures that a run has evaluated: name -> ``less``, ``greater``, or None if not known.

    Of a run that has recorded none, those of its last evaluation.

    Raises:
        ValueError: a file is damaged; names it.
    """
    kept = (read_evaluation(work_dir) or {}).get("figures")
    found: dict[str, str | None] = ways_of(map(str, kept)) if isinstance(kept, Mapping) else {}
    for file in sorted(work_dir.glob(f"*/{FIGURES}")):
        for name, way in _ways_in(file).items():
            found[name] = way or found.get(name) or better(name)
    return found


def _ways_in(file: Path) -> dict[str, str | None]:
    content = read_json(file, "a run's figures")
    with content_of(file, "a run's figures"):
        wrong = [name for name, way in content.items() if way not in (LESS, GREATER, None)]
        if wrong:
            way = content[wrong[0]]
            raise ValueError(f"of {wrong[0]!r} {way!r} is better; allowed are {LESS!r}, {GREATER!r}, null")
    return dict(content)


def read_starts(work_dir: Path) -> list[Start]:
    """Return the starts of a run in order; none of a run without reports.

    Raises:
        ValueError: a file is damaged; names it.
    """
    found = []
    for file in sorted(work_dir.glob(f"*/{START}")):
        content = read_json(file, "a run's start")
        with content_of(file, "a run's start"):
            found.append(_start(content))
    return sorted(found, key=lambda start: start.began)


def _start(content: Mapping[str, Any]) -> Start:
    environment = {str(name): str(value) for name, value in dict(content["environment"]).items()}
    ended, last, images, how = (content[name] for name in ("ended", "last", "images", "how"))
    return Start(
        float(content["began"]),
        int(content["first"]),
        environment,
        None if ended is None else float(ended),
        None if last is None else int(last),
        None if images is None else int(images),
        None if how is None else str(how),
    )


def read_evaluation(work_dir: Path) -> dict[str, Any] | None:
    """Return the report of a run's last evaluation; None without one.

    Raises:
        ValueError: the file is damaged; names it.
    """
    found: dict[str, Any] | None = None
    for file in sorted(work_dir.glob(f"*/{EVALUATION}")):
        content = read_json(file, "an evaluation's report")
        with content_of(file, "an evaluation's report"):
            iteration = int(content["iteration"])
        if found is None or iteration >= found["iteration"]:
            found = {**content, "iteration": iteration}
    return found
