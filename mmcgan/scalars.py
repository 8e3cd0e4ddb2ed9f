"""The figures that a run has logged, by name and iteration, and their curves."""

from __future__ import annotations

import io
import math
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.output_paths import CURVES, drawn_by
from mmcgan.suggestions import nearest
from mmcgan.text_files import content_of, parse_json, say

Series = dict[int, float]
SCALARS = "vis_data/scalars.json"
#: points of a curve that are drawn at most, and so few that each is marked
DRAWN_POINTS, FEW_POINTS = 600, 30
#: characters of a figure's name; iterations that a run has not
LONGEST_NAME, MOST_ITERATIONS = 200, 1 << 60


def read_scalars(work_dir: Path) -> dict[str, Series]:
    """Return every logged figure of a run: key -> iteration -> value.

    A resumed run has one file per start; where they overlap, the later start counts. Half a line at the end
    of a file, which a run leaves that is killed, is left out.

    Raises:
        FileNotFoundError: the folder has no logged figures.
        ValueError: a file is damaged elsewhere; names it and the line.
    """
    files = sorted(work_dir.glob(f"*/{SCALARS}"))
    if not files:
        raise FileNotFoundError(f"no logged figures in {work_dir} (looked for {work_dir}/*/{SCALARS})")
    series: dict[str, Series] = {}
    for step, figures in (record for file in files for record in _records(file)):
        for key, value in figures.items():
            series.setdefault(key, {})[step] = value
    return series


def _records(file: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the iteration and the figures of each line."""
    lines = file.read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            record = parse_json(line, file, "logged figures")
            with content_of(file, "logged figures"):
                step = _iteration(record.pop("step"))
                record.pop("iter", None)
                figures = {_name(key): float(x) for key, x in record.items() if isinstance(x, int | float)}
        except ValueError as error:
            if number < len(lines):
                raise ValueError(f"{file}, line {number}: not logged figures ({error})") from error
            say(f"{file}: its last line is cut off and left out", to=sys.stderr)
            return
        yield step, figures


def _iteration(value: Any) -> int:
    if isinstance(value, bool) or not 0 <= int(value) < MOST_ITERATIONS:
        raise ValueError(f"the iteration is {str(value)[:40]}")
    return int(value)


def _name(key: str) -> str:
    if len(key) > LONGEST_NAME or not key.isprintable():
        raise ValueError(f"a figure is called {key[:LONGEST_NAME]!r}")
    return key


def mean_and_deviation(values: Iterable[float]) -> tuple[float, float]:
    """Return the mean and the sample deviation of one or more figures, the deviation of one being 0.

    A figure may be NaN or infinite, as logs have it; the deviation is NaN then.
    """
    figures = [float(value) for value in values]
    mean = statistics.mean(figures)
    if not all(map(math.isfinite, figures)):
        return mean, math.nan
    try:
        return mean, statistics.stdev(figures) if len(figures) > 1 else 0.0
    except OverflowError:  # squares of it are beyond a float's range
        return mean, math.inf


def draw_curves(
    runs: Mapping[str, Mapping[str, Series]], keys: Sequence[str], out: Path, log_scale: bool = False
) -> None:
    """Write a picture (PNG, PDF or SVG, by its name): a panel per key, a curve per run, over iterations.

    Raises:
        ValueError: a run has not logged one of the keys; suggests those it has.
    """
    for name, series in runs.items():
        for key in keys:
            if key not in series:
                raise ValueError(f"{name} has not logged {key!r}.{nearest(key, list(series))}")
    write_file(out, curves_picture(runs, keys, out.suffix[1:].lower() or "png", log_scale))


def curves_picture(
    runs: Mapping[str, Mapping[str, Series]],
    keys: Sequence[str],
    kind: str = "png",
    log_scale: bool = False,
    columns: int | None = None,
) -> bytes:
    """Return the picture of curves; a run that has not logged a key has no curve in its panel.

    Args:
        runs: name -> key -> iteration -> value; without a legend if the only name is empty.
        keys: one panel each.
        kind: ``png``, ``pdf`` or ``svg``.
        log_scale: logarithmic vertical axes.
        columns: panels beside each other; all of them by default.
    """
    import matplotlib  # slow to import, and only wanted here
    from matplotlib.figure import Figure

    columns = min(columns or len(keys), len(keys))
    rows = -(-len(keys) // columns)
    figure = Figure(figsize=(5 * columns, 3.5 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis, key in zip(panels, keys, strict=False):
        for name, series in runs.items():
            steps = thinned(series.get(key, {}))
            few = "o" if len(steps) <= FEW_POINTS else None
            axis.plot(steps, [series[key][step] for step in steps], label=name, marker=few, markersize=3)
        axis.set(xlabel="iteration", title=key, yscale="log" if log_scale else "linear")
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in panels[len(keys) :]:
        axis.set_axis_off()
    if any(runs):
        panels[0].legend()
    picture = io.BytesIO()
    # the same curves make the same file
    with matplotlib.rc_context({"svg.hashsalt": "mmcgan"}):
        figure.savefig(picture, format=kind, dpi=120, metadata=drawn_by(CURVES, kind))
    return picture.getvalue()


def thinned(series: Series) -> list[int]:
    """Return the iterations to draw, in order: all of a short series, evenly spaced ones of a long one."""
    steps = sorted(series)
    if len(steps) <= DRAWN_POINTS:
        return steps
    return [steps[round(place * (len(steps) - 1) / (DRAWN_POINTS - 1))] for place in range(DRAWN_POINTS)]
