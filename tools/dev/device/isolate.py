"""Runs one part in a process of its own, so that its failure is a row and never the end."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settings:
    """What a run of the checks is about.

    Attributes:
        device: "cuda" or "cpu".
        quick: a few seconds of each part, for the test of this tool.
        golden: folders of golden cases.
        seconds: limit of each part.
    """

    device: str
    quick: bool
    golden: tuple[Path, ...]
    seconds: float


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Attributes:
        part, case: what was done.
        status: "pass", "fail", "figure" (nothing to pass) or "skipped".
        figures: numbers by name.
        reason: why it failed or was skipped.
    """

    part: str
    case: str
    status: str
    figures: dict[str, float | str] = field(default_factory=dict)
    reason: str = ""


Part = Callable[[Settings], list[Row]]


def run_part(name: str, part: Part, settings: Settings) -> list[Row]:
    """Return the rows of ``part``; a crash, a hang and an exception are rows, too.

    The process is a fork of this one, which must not have used CUDA.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer, begin = Path(folder) / "rows.json", time.monotonic()
        process = multiprocessing.get_context("fork").Process(
            target=_child, args=(name, part, settings, answer)
        )
        process.start()
        process.join(settings.seconds)
        if process.is_alive():
            process.kill()
            process.join()
            return [Row(name, "all", "fail", reason=f"not done after {settings.seconds:g} s")]
        if not answer.is_file():
            return [Row(name, "all", "fail", reason=f"its process ended with status {process.exitcode}")]
        rows = [Row(**row) for row in json.loads(answer.read_text(encoding="utf-8"))]
    return [*rows, Row(name, "seconds", "figure", {"seconds": round(time.monotonic() - begin, 1)})]


def _child(name: str, part: Part, settings: Settings, answer: Path) -> None:
    if settings.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    logging.disable(logging.WARNING)  # of the small trainings
    rows = attempt(name, "all", lambda: part(settings))
    answer.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    os._exit(0)  # the parent's exit handlers are not this process's to run


def attempt(part: str, case: str, do: Callable[[], list[Row]]) -> list[Row]:
    """Return what ``do`` returns, or a failed row with its error."""
    try:
        return do()
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return [Row(part, case, "fail", reason=text[:400])]


def judged(part: str, case: str, problems: list[str], **figures: Any) -> Row:
    """Return a row that passes if there are no ``problems``."""
    return Row(part, case, "fail" if problems else "pass", figures, "; ".join(problems[:3]))
