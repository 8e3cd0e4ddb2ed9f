"""``mmcgan plot``: curves of one or several runs, side by side."""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmcgan.commands.shared import PICTURES, labelled_paths, writes
from mmcgan.suggestions import nearest
from mmcgan.text_files import content_of, parse_json

Series = dict[int, float]
SCALARS = "vis_data/scalars.json"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "runs", nargs="+", metavar="NAME=DIR", help="work directories, with a name or without"
    )
    parser.add_argument("--keys", nargs="+", default=["fid"], help="logged figures (default: fid)")
    parser.add_argument("--log-scale", action="store_true", help="logarithmic vertical axes")
    out = parser.add_argument("--out", default="curves.png", help="picture to write (default: %(default)s)")
    writes(parser, out, suffixes=PICTURES)


def run(arguments: argparse.Namespace) -> None:
    """Draw the curves and print the picture's path."""
    runs = {name: read_scalars(folder) for name, folder in labelled_paths(arguments.runs).items()}
    draw_curves(runs, arguments.keys, Path(arguments.out), arguments.log_scale)
    print(f"picture: {arguments.out}")


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
                step = int(record.pop("step"))
                record.pop("iter", None)
                figures = {key: float(x) for key, x in record.items() if isinstance(x, int | float)}
        except ValueError as error:
            if number < len(lines):
                raise ValueError(f"{file}, line {number}: not logged figures ({error})") from error
            print(f"{file}: its last line is cut off and left out", file=sys.stderr)
            return
        yield step, figures


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
    figure.savefig(picture, format=out.suffix[1:].lower() or "png", dpi=120)
    picture.seek(0)
    atomic_write(out, lambda file: shutil.copyfileobj(picture, file))
