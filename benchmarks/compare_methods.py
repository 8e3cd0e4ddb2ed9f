"""Train several methods at one budget with several seeds, and put their figures side by side.

    python benchmarks/compare_methods.py CONFIG [CONFIG ...] --seeds 0 1 2 --iterations 1000

All methods run with the first seed, then all with the second, one process at a time. A finished run is
never repeated or overwritten, an interrupted one goes on where it stopped, a failed one is tried once
more. After every run ``table.md``, ``table.json`` and ``table.png`` in ``--out`` are written afresh from
what is finished; ``--table-only`` does just that. Ctrl-C or SIGTERM stops after the current iteration.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.files import list_checkpoints
from mmcgan.config import find_config
from mmcgan.scalars import read_scalars

FIGURES = {"fid": "FID", "inception_score": "IS", "conditional_accuracy": "conditional accuracy"}
RESULT, LOG = "result.json", "output.txt"
ATTEMPTS = 2


@dataclass(frozen=True)
class Run:
    """One training: a config, a seed, a budget, a folder."""

    config: Path
    seed: int
    iterations: int
    evaluate_every: int
    folder: Path

    @property
    def method(self) -> str:
        return self.config.stem

    def command(self) -> list[str]:
        """Return the command that starts this run, or continues it."""
        options = [
            f"randomness.seed={self.seed}",
            f"train_cfg.max_iters={self.iterations}",
            f"train_cfg.val_interval={self.evaluate_every}",
            "default_hooks.checkpoint.interval=100",
        ]
        resume = ["--resume"] if list_checkpoints(self.folder) else []
        train = [
            sys.executable,
            "-m",
            "mmcgan.cli",
            "train",
            str(self.config),
            "--work-dir",
            str(self.folder),
        ]
        return [*train, *resume, "--cfg-options", *options]


@dataclass
class Result:
    """What a finished run has to say; ``curves`` is figure -> iteration -> value."""

    method: str
    seed: int
    iterations: int
    seconds: float
    figures: dict[str, float]
    curves: dict[str, dict[int, float]] = field(default_factory=dict)


class Queue:
    """Runs trainings one after another; a signal ends the present one and the queue."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs, self.stopped = runs, False
        self.process: subprocess.Popen | None = None

    def stop(self, number: int, frame: object) -> None:
        """Handle a signal: ask the training to save and end."""
        self.stopped = True
        if self.process is not None:
            self.process.terminate()

    def train(self, run: Run) -> bool:
        """Train to the end and return whether that succeeded; a failure is tried once more."""
        run.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(ATTEMPTS):
            with (run.folder / LOG).open("a") as log:
                # Ctrl-C reaches our own handler only
                self.process = subprocess.Popen(
                    run.command(), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )
                failed = self.process.wait() != 0
            self.process = None
            if self.stopped:
                return False
            if not failed:
                return True
            print(f"{run.method}, seed {run.seed}: failed, see {run.folder / LOG}", flush=True)
        return False


def read_result(run: Run) -> Result | None:
    """Return the result of a finished run, None if it is not finished.

    Raises:
        ValueError: the folder holds a run with another budget.
    """
    path = run.folder / RESULT
    if not path.is_file():
        return None
    result = Result(**json.loads(path.read_text()))
    if result.iterations != run.iterations:
        raise ValueError(
            f"{path} is of {result.iterations} iterations, --iterations asks for {run.iterations}: "
            "choose another --out"
        )
    return result


def collect(run: Run, seconds: float) -> Result:
    """Return the result of a training that has just ended, from what it logged.

    Raises:
        ValueError: there is no evaluation at the last iteration.
    """
    series = read_scalars(run.folder)
    curves = {key: dict(sorted(series[key].items())) for key in FIGURES if key in series}
    figures = {key: curve[run.iterations] for key, curve in curves.items() if run.iterations in curve}
    if not figures:
        raise ValueError(f"{run.folder} has no evaluation at iteration {run.iterations}")
    return Result(run.method, run.seed, run.iterations, round(seconds, 1), figures, curves)


def summarize(results: Sequence[Result]) -> dict[str, dict[str, list[float]]]:
    """Return method -> figure -> values over seeds, methods in the order of first appearance."""
    table: dict[str, dict[str, list[float]]] = {}
    for result in results:
        row = table.setdefault(result.method, {key: [] for key in FIGURES})
        for key, value in result.figures.items():
            row[key].append(value)
    return table


def cell(key: str, values: Sequence[float]) -> str:
    """Return mean ± standard deviation (n - 1) as text, without the latter for one seed."""
    if not values:
        return "-"
    percent = key == "conditional_accuracy"
    scaled = [100 * value if percent else value for value in values]
    text = f"{statistics.mean(scaled):.2f}"
    if len(scaled) > 1:
        text += f" ± {statistics.stdev(scaled):.2f}"
    return text + (" %" if percent else "")


def markdown(table: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return the table as Markdown."""
    lines = [f"| config | seeds | {' | '.join(FIGURES.values())} |", "|---" * (len(FIGURES) + 2) + "|"]
    for method, row in table.items():
        seeds = max(len(values) for values in row.values())
        cells = " | ".join(cell(key, row[key]) for key in FIGURES)
        lines.append(f"| {method} | {seeds} | {cells} |")
    return "\n".join(lines) + "\n"


def picture(table: Mapping[str, Mapping[str, Sequence[float]]]) -> bytes:
    """Return a PNG: a panel per figure, a bar for the mean, a dot for every seed."""
    from matplotlib.figure import Figure  # slow to import

    figure = Figure(figsize=(4 * len(FIGURES), 0.5 + 0.45 * len(table)), layout="constrained")
    axes = figure.subplots(1, len(FIGURES), sharey=True, squeeze=False)[0]
    names = [method.replace("_", " ").split()[0] for method in table]
    for axis, (key, title) in zip(axes, FIGURES.items(), strict=True):
        for place, row in enumerate(table.values()):
            if row[key]:
                axis.barh(place, statistics.mean(row[key]), color="tab:blue", alpha=0.4)
                axis.plot(row[key], [place] * len(row[key]), "o", color="tab:blue", markersize=4)
        axis.set(title=title, yticks=range(len(names)), yticklabels=names)
        axis.grid(axis="x", alpha=0.3)
    axes[0].invert_yaxis()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def write_tables(out: Path, results: Sequence[Result]) -> None:
    """Write ``table.md``, ``table.json`` and ``table.png``."""
    if not results:
        return
    table = summarize(results)
    runs = json.dumps({"summary": table, "runs": [asdict(result) for result in results]}, indent=1)
    files = {"table.md": markdown(table).encode(), "table.json": runs.encode(), "table.png": picture(table)}
    for name, content in files.items():
        atomic_write(out / name, lambda file, content=content: file.write(content))


def train_all(runs: Sequence[Run], out: Path) -> bool:
    """Train what is not finished, writing the tables after each run; return whether all is done."""
    queue = Queue(runs)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, queue.stop)
    results = {run: result for run in runs if (result := read_result(run))}
    start, trained = time.monotonic(), 0
    for run in runs:
        if run in results:
            continue
        begin = time.monotonic()
        if queue.train(run):
            results[run] = collect(run, time.monotonic() - begin)
            text = json.dumps(asdict(results[run]), indent=1).encode()
            atomic_write(run.folder / RESULT, lambda file, text=text: file.write(text))
            trained += 1
            left = (time.monotonic() - start) / trained * (len(runs) - len(results)) / 60
            figures = " ".join(f"{key} {value:.4g}" for key, value in results[run].figures.items())
            done = f"[{len(results)}/{len(runs)}] {run.method}, seed {run.seed}"
            print(f"{done}: {figures}; about {left:.0f} min left", flush=True)
            write_tables(out, list(results.values()))
        if queue.stopped:
            print("stopped; the same command goes on", flush=True)
            break
    return len(results) == len(runs)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("configs", nargs="+", help="paths or names of configs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--iterations", type=int, default=1000, help="generator updates of every run")
    parser.add_argument("--evaluate-every", type=int, default=500, help="and at the end")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/compare"))
    parser.add_argument("--table-only", action="store_true", help="train nothing")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, write the tables, print the Markdown one."""
    given = parse(argv)
    configs = [find_config(name) for name in given.configs]
    given.out.mkdir(parents=True, exist_ok=True)
    runs = [
        Run(config, seed, given.iterations, given.evaluate_every, given.out / config.stem / f"seed_{seed}")
        for seed in given.seeds
        for config in configs
    ]
    complete = True
    if given.table_only:
        write_tables(given.out, [result for run in runs if (result := read_result(run))])
    else:
        os.environ.setdefault("PYTHONUNBUFFERED", "1")
        complete = train_all(runs, given.out)
    if (given.out / "table.md").is_file():
        print((given.out / "table.md").read_text(), end="")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
