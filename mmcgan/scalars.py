"""The figures that a run has logged, by name and iteration."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    for record in (record for file in files for record in _records(file)):
        step = int(record.pop("step"))
        record.pop("iter", None)
        for key, value in record.items():
            if isinstance(value, (int, float)):
                series.setdefault(key, {})[step] = float(value)
    return series


def _records(file: Path) -> Iterator[dict[str, Any]]:
    lines = file.read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            int(record["step"])
        except (ValueError, KeyError, TypeError) as error:
            if number < len(lines):
                raise ValueError(f"{file}, line {number}: not logged figures ({error!r})") from error
            print(f"{file}: its last line is cut off and left out", file=sys.stderr)
            return
        yield record
