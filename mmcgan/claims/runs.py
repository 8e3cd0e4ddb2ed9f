"""The trainings and evaluations that claims need: where each is kept, how it is made, what it found.

A run is known by its config's settings, its budget and its seed, so that claims share runs, and a config that
has changed since is another run. Each training and evaluation is a process of its own, ``mmcgan train`` or
``mmcgan test``; an interrupted one goes on from its newest checkpoint.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.hashing import text_hash
from mmcgan.claims.claim import OUT, Claim, Evaluated, Logged, Training
from mmcgan.scalars import read_scalars
from mmcgan.text_files import read_json

LOG, FIGURES, SECONDS = "output.txt", "figures.json", "seconds.json"
DIGITS = 8


@dataclass(frozen=True)
class Run:
    """One training, or one shipped model, with a seed.

    Attributes:
        source: the training, or the model's name.
        seed: of the training, or of the samples of a shipped model.
        share: of the whole budget, above 0, at most 1.
        out: folder in which claims keep their files.
    """

    source: Training | str
    seed: int
    share: float
    out: Path

    @property
    def iterations(self) -> int:
        """Generator updates; 0 of a shipped model."""
        return 0 if isinstance(self.source, str) else max(round(self.source.iterations * self.share), 1)

    @property
    def folder(self) -> Path:
        """Where the run is kept."""
        if isinstance(self.source, str):
            return self.out / "shipped" / self.source / f"seed_{self.seed}"
        name = f"{self.source.config}-{self.iterations}-{self.digest()}"
        return self.out / "runs" / name / f"seed_{self.seed}"

    def digest(self) -> str:
        """Return the digest of everything that decides what is trained, but the seed."""
        from mmcgan.config import find_config, read_config

        assert isinstance(self.source, Training)
        settings = read_config(find_config(self.source.config)).to_dict()
        needs = [[need.target, *need.command] for need in self.source.needs]
        text = json.dumps([settings, self.options(), needs], sort_keys=True, default=str)
        return text_hash(text)[:DIGITS]

    def options(self) -> dict[str, Any]:
        """Return the settings to replace, with the budget, without the seed."""
        assert isinstance(self.source, Training)
        evaluate = max(self.iterations // self.source.evaluations, 1)
        return {
            "train_cfg.max_iters": self.iterations,
            "train_cfg.val_interval": evaluate,
            "default_hooks.checkpoint.interval": evaluate,
            "default_hooks.sample_grid.interval": self.iterations,
            **self.source.options,
        }

    def option_texts(self) -> list[str]:
        """Return the settings as ``--cfg-options`` takes them."""
        options = {**self.options(), "randomness.seed": self.seed}
        return [f"{key}={_inside(_text(value), self.out)}" for key, value in options.items()]

    @property
    def checkpoint(self) -> Path:
        """The checkpoint at the end."""
        return self.folder / f"iter_{self.iterations}.pth"


@dataclass(frozen=True)
class Wanted:
    """A run, and the figures of it that claims look at."""

    run: Run
    figures: tuple[Logged | Evaluated, ...]


def wanted_runs(claims: Iterable[Claim], seeds: Sequence[int], share: float, out: Path) -> list[Wanted]:
    """Return every run that claims need, once; all runs of the first seed come first."""
    arms = [arm for claim in claims for arm in claim.arms]
    found: dict[Path, tuple[Run, list[Logged | Evaluated]]] = {}
    for seed in seeds:
        for arm in arms:
            run = Run(arm.source, seed, share, out)
            found.setdefault(run.folder, (run, []))[1].append(arm.figure)
    return [Wanted(run, tuple(dict.fromkeys(figures))) for run, figures in found.values()]


def series_of(run: Run) -> dict[str, dict[int, float]]:
    """Return everything that a training has logged, by name and iteration; nothing if it has not begun."""
    try:
        return read_scalars(run.folder)
    except FileNotFoundError:
        return {}


def figure_of(run: Run, figure: Logged | Evaluated) -> float | None:
    """Return the figure of a finished run, None where it is missing.

    Raises:
        ValueError: the run is finished and has not logged a figure of that name.
    """
    if isinstance(figure, Evaluated):
        found = _read(run.folder / FIGURES).get(_key(figure))
        return None if found is None else _of_report(found, figure.key, run)
    if not run.checkpoint.is_file():
        return None
    series = series_of(run)
    if figure.key not in series:
        raise ValueError(f"{run.folder} has not logged {figure.key!r}; it has {', '.join(sorted(series))}")
    return figure.of(series[figure.key])


@dataclass(frozen=True)
class Step:
    """One process for a run.

    Attributes:
        run: whose folder takes the output.
        what: in words.
        command: arguments of ``mmcgan``.
    """

    run: Run
    what: str
    command: list[str]


def missing_steps(wanted: Wanted) -> Iterator[Step]:
    """Yield what has to be done for a run, in order; each step is looked for when the one before is done."""
    run = wanted.run
    if isinstance(run.source, Training):
        for need in run.source.needs:
            if not (run.out / need.target).exists():
                yield Step(run, f"making {need.target}", [_inside(part, run.out) for part in need.command])
        if not run.checkpoint.is_file():
            yield Step(run, f"training for {run.iterations} updates", _training(run))
    for figure in wanted.figures:
        if isinstance(figure, Evaluated) and _key(figure) not in _read(run.folder / FIGURES):
            yield Step(run, f"testing {figure.key}", _testing(run, figure))


def perform(step: Step) -> None:
    """Do one step to its end, with its output in the run's log.

    Raises:
        OSError: it failed; names the log.
    """
    run = step.run
    run.folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    with (run.folder / LOG).open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mmcgan", *step.command], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            status = process.wait()
        except BaseException:
            process.terminate()  # it keeps its iteration
            process.wait()
            raise
    if status != 0:
        raise OSError(f"{run.folder}: {step.what} ended with status {status}; see {run.folder / LOG}")
    _add_seconds(run, time.monotonic() - begin)
    _collect_reports(run)


def seconds_of(run: Run) -> float:
    """Return the seconds that a run has taken so far."""
    return float(_read(run.folder / SECONDS).get("seconds", 0.0))


def _training(run: Run) -> list[str]:
    from mmcgan.checkpoints.files import list_checkpoints

    assert isinstance(run.source, Training)
    resume = ["--resume"] if list_checkpoints(run.folder) else []
    name = ["train", run.source.config, "--work-dir", str(run.folder)]
    return [*name, *resume, "--cfg-options", *run.option_texts()]


def _testing(run: Run, figure: Evaluated) -> list[str]:
    report = run.folder / f"report-{text_hash(_key(figure))[:DIGITS]}.json"
    _write(run.folder / "reports.json", {**_read(run.folder / "reports.json"), _key(figure): report.name})
    if isinstance(run.source, str):
        return ["test", run.source, "--seeds", str(run.seed), *figure.arguments, "--json", str(report)]
    name = ["test", run.source.config, str(run.checkpoint), *figure.arguments, "--json", str(report)]
    return [*name, "--work-dir", str(run.folder / "test"), "--cfg-options", *run.option_texts()]


def _collect_reports(run: Run) -> None:
    """Note the figures of reports that have been written since."""
    known = _read(run.folder / FIGURES)
    for key, name in _read(run.folder / "reports.json").items():
        if key not in known and (run.folder / name).is_file():
            known[key] = _read(run.folder / name)["metrics"]
    if known:
        _write(run.folder / FIGURES, known)


def _of_report(figures: Mapping[str, float], key: str, run: Run) -> float:
    if key not in figures:
        raise ValueError(
            f"the evaluation of {run.folder} has no {key!r}; it has {', '.join(sorted(figures))}"
        )
    return float(figures[key])


def _key(figure: Evaluated) -> str:
    return " ".join(figure.arguments) or "as the config says"


def _inside(text: str, out: Path) -> str:
    return text.replace(OUT, str(out))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _add_seconds(run: Run, seconds: float) -> None:
    _write(run.folder / SECONDS, {"seconds": round(seconds_of(run) + seconds, 1)})


def _read(path: Path) -> dict[str, Any]:
    return read_json(path, "the figures of a claim's run") if path.is_file() else {}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    from mmcgan.checkpoints.atomic import write_file

    write_file(path, json.dumps(content, indent=1))
