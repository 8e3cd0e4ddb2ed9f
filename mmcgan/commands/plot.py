"""``mmcgan plot``: curves of one or several runs, side by side."""

from __future__ import annotations

import argparse
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmcgan.suggestions import nearest

Series = dict[int, float]
SCALARS = "vis_data/scalars.json"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "runs", nargs="+", metavar="NAME=DIR", help="work directories, with a name or without"
    )
    parser.add_argument("--keys", nargs="+", default=["fid"], help="logged figures (default: fid)")
    parser.add_argument("--log-scale", action="store_true", help="logarithmic vertical axes")
    parser.add_argument("--out", default="curves.png", help="picture to write (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Draw the curves and print the picture's path."""
    runs = {}
    for each in arguments.runs:
        name, separator, folder = each.partition("=")
        runs[name if separator else Path(each).name] = read_scalars(Path(folder if separator else each))
    draw_curves(runs, arguments.keys, Path(arguments.out), arguments.log_scale)
    print(f"picture: {arguments.out}")


def read_scalars(work_dir: Path) -> dict[str, Series]:
    """Return every logged figure of a run: key -> iteration -> value.

    A resumed run has one file per start; where they overlap, the later start counts.

    Raises:
        FileNotFoundError: the folder has no logged figures.
    """
    files = sorted(work_dir.glob(f"*/{SCALARS}"))
    if not files:
        raise FileNotFoundError(f"no logged figures in {work_dir} (looked for {work_dir}/*/{SCALARS})")
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    series: dict[str, Series] = {}
    for record in map(json.loads, lines):
        step = int(record.pop("step"))
        record.pop("iter", None)
        for key, value in record.items():
            if isinstance(value, (int, float)):
                series.setdefault(key, {})[step] = float(value)
    return series


def draw_curves(
    runs: Mapping[str, Mapping[str, Series]], keys: Sequence[str], out: Path, log_scale: bool = False
) -> None:
    """Write a PNG with one panel per key and one curve per run, over iterations.

    Raises:
        ValueError: a run has not logged one of the keys; suggests those it has.
    """
    for name, series in runs.items():
        for key in keys:
            if key not in series:
                raise ValueError(f"{name} has not logged {key!r}.{nearest(key, list(series))}")
    from matplotlib.figure import Figure  # slow to import, and only wanted here

    from mmcgan.checkpoints.files import atomic_write

    figure = Figure(figsize=(5 * len(keys), 3.5), layout="constrained")
    axes = figure.subplots(1, len(keys), squeeze=False)[0]
    for axis, key in zip(axes, keys, strict=True):
        for name, series in runs.items():
            steps = sorted(series[key])
            axis.plot(steps, [series[key][step] for step in steps], label=name)
        axis.set(xlabel="iteration", title=key, yscale="log" if log_scale else "linear")
        axis.grid(alpha=0.3)
    axes[0].legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    picture.seek(0)
    atomic_write(out, lambda file: shutil.copyfileobj(picture, file))
