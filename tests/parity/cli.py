"""The command that checks a folder of golden cases and prints a table."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.parity.cases import find_cases
from tests.parity.runner import Record, check_file

HEADER = ("case", "peer", "kind", "error", "tolerance", "result", "reason")
STATUSES = ("pass", "fail", "unsupported")


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description="Check mmcgan against the numbers of the peers' own code.")
    parser.add_argument("directory", type=Path, help="folder of golden cases, searched recursively")
    parser.add_argument("--strict", action="store_true", help="unsupported cases make the exit status 1 too")
    return parser.parse_args(arguments)


def check_with_progress(directory: Path) -> list[Record]:
    """Check every case under ``directory`` with a progress bar on standard error."""
    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        stems = find_cases(directory)
        return [check_file(stem) for stem in progress.track(stems, total=len(stems))]


def format_table(records: Sequence[Record]) -> str:
    """Return the table, one line per case, columns aligned."""
    rows = [HEADER, *(_row(record) for record in records)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )


def _row(record: Record) -> tuple[str, ...]:
    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2g}"

    error, tolerance = number(record.error), number(record.tolerance)
    return record.case, record.peer, record.kind, error, tolerance, record.status, record.reason


def summary(records: Sequence[Record]) -> str:
    """Return the last line: ``N passed, N failed, N unsupported``."""
    counts = Counter(record.status for record in records)
    passed, failed, unsupported = (counts[status] for status in STATUSES)
    return f"{passed} passed, {failed} failed, {unsupported} unsupported"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 on any failure, or with --strict on anything unsupported."""
    options = parse_arguments(arguments)
    torch.set_num_threads(1)  # the peers' numbers were recorded with one thread
    try:
        records = check_with_progress(options.directory)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    if not records:
        print(f"no golden case (.safetensors with .json) under {options.directory}", file=sys.stderr)
        return 2
    print(format_table(records))
    print(summary(records))
    bad = {"fail", "unsupported"} if options.strict else {"fail"}
    return int(any(record.status in bad for record in records))
