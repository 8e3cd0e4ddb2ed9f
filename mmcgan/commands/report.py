"""``mmcgan report``: the page of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmcgan.commands.shared import add_overwrite, writes
from mmcgan.output_paths import REPORT, says
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Write a page of each run: samples over training, figures with their counts, curves, config, "
        "environment. A run writes it when it ends; this makes it of one that was killed or still runs."
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="DIR", help="work directories of runs")
    out = parser.add_argument(
        "--out", type=Path, metavar="FILE", help="page of one run (default: report.html in its directory)"
    )
    # of a run that goes on, it is asked for again and again
    writes(parser, out, suffixes=(".html",), own=says(f"{REPORT}</title>"))
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the pages and print their paths.

    Raises:
        FileNotFoundError: a folder is no run's.
        ValueError: a folder's files are damaged, or ``--out`` is given for several runs.
    """
    from mmcgan.comparison.report import write_report

    if arguments.out is not None and len(arguments.runs) > 1:
        raise ValueError(
            f"--out {arguments.out} is one page and there are {len(arguments.runs)} runs; "
            "leave it out, or show them on one page with `mmcgan compare`"
        )
    for work_dir in arguments.runs:
        say(f"page: {write_report(work_dir, arguments.out)}")
