"""The figures that a run has logged, by name and iteration."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from mmcgan.text_files import content_of, parse_json

Series = dict[int, float]
SCALARS = "vis_data/scalars.json"


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
