"""``mmcgan plot``: curves of one or several runs, side by side."""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmcgan.checkpoints.atomic import write_file
from mmcgan.commands.shared import PICTURES, labelled_paths, writes
from mmcgan.scalars import Series, read_scalars
from mmcgan.suggestions import nearest


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
    write_file(out, picture.getvalue())
