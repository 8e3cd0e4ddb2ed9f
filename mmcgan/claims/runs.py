"""The runs that claims need, and what is missing of them.

A run is known by what makes it, its budget and its seed, so that claims share runs, and a config or a model
that has changed since is another run. Each training, evaluation and measurement is a process of its own; an
interrupted training goes on from its newest checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcgan.claims.claim import Claim
from mmcgan.claims.figure import Figure
from mmcgan.claims.run import Run
from mmcgan.claims.step import Step


@dataclass(frozen=True)
class Wanted:
    """A run, and the figures of it that claims look at."""

    run: Run
    figures: tuple[Figure, ...]


def wanted_runs(claims: Iterable[Claim], seeds: Sequence[int], share: float, out: Path) -> list[Wanted]:
    """Return every run that claims need, once; all runs of the first seed come first."""
    arms = [arm for claim in claims for arm in claim.arms]
    found: dict[Path, tuple[Run, list[Figure]]] = {}
    for seed in seeds:
        for arm in arms:
            run = Run(arm.source, seed, share, out)
            found.setdefault(run.folder, (run, []))[1].append(arm.figure)
    return [Wanted(run, _each_once(figures)) for run, figures in found.values()]


def _each_once(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    kept: list[Figure] = []
    for figure in figures:
        if figure not in kept:
            kept.append(figure)
    return tuple(kept)


def missing_steps(wanted: Wanted) -> Iterator[Step]:
    """Yield what has to be done for a run, in order; each step is looked for when the one before is done."""
    yield from wanted.run.source.steps(wanted.run)
    yield from _figure_steps(wanted)


def _figure_steps(wanted: Wanted) -> Iterator[Step]:
    for figure in wanted.figures:
        yield from figure.steps(wanted.run)


def perform_all(wanted: Wanted, say: Callable[[Step], None]) -> None:
    """Do what is missing of a run.

    Args:
        wanted: the run and its figures.
        say: is told of each step before it is done.

    Raises:
        OSError: a step failed; names the log. Or the run's source is not finished behind the last of its
            steps: a training that is asked to stop ends well, but not at its end.
    """
    run = wanted.run
    for step in run.source.steps(run):
        say(step)
        perform(step)
    if not run.source.finished(run):
        raise OSError(f"{run.folder}: stopped before its end; the same command goes on with it")
    for step in _figure_steps(wanted):
        say(step)
        perform(step)


def perform(step: Step) -> None:
    """Do one step to its end, with its output in the run's log, and count its time.

    Raises:
        OSError: it failed; names the log.
    """
    step.run.folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    try:
        step.perform()
    finally:
        step.run.add_seconds(time.monotonic() - begin)
