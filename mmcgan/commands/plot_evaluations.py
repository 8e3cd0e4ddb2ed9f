"""``mmcgan plot-evaluations``: sweeps of several models in one picture."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Draw reports of `mmcgan test --truncations ... --json`."
    parser.add_argument("reports", nargs="+", metavar="NAME=FILE", help="reports, with a name or without")
    parser.add_argument("--keys", nargs="+", default=[], help="figures (default: FID, IS, accuracy)")
    parser.add_argument("--out", default="evaluations.png", help="picture to write (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Draw the reports and print the picture's path.

    Raises:
        FileNotFoundError: a report is missing.
        ValueError: a file is no report of ``mmcgan test --json``, or figures are missing.
    """
    if Path(arguments.out).suffix != ".png":
        raise ValueError(f"--out {arguments.out}: the file must be named *.png")
    reports = dict(map(read_report, arguments.reports))
    from mmcgan.evaluation.report.pictures import draw_evaluations

    draw_evaluations(reports, Path(arguments.out), arguments.keys)
    print(f"picture: {arguments.out}")


def read_report(argument: str) -> tuple[str, Any]:
    """Return name and sweep of ``NAME=FILE`` or ``FILE``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a report of ``mmcgan test --json``.
    """
    name, separator, file = argument.partition("=")
    path = Path(file if separator else argument)
    if not path.is_file():
        raise FileNotFoundError(f"no report {path}")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return (name if separator else report["config"]), report["sweep"]
    except (json.JSONDecodeError, RecursionError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a report of `mmcgan test --json` ({error!r})") from error
