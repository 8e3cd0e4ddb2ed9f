"""Check configs: validate, then train one tiny iteration of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from mmcgan.config import ConfigError, all_configs
from mmcgan.config.tiny import NOTICES, load_tiny_config, run_tiny_step
from mmcgan.config.tiny_evaluation import EvaluationError
from mmcgan.faults import fault_of
from mmcgan.progress import progress_bar
from mmcgan.screen import Console
from mmcgan.text_files import on_screen, say


@dataclass(frozen=True)
class CheckResult:
    """What came out for one config; ``error`` is empty when it passed, ``notices`` are no fault."""

    name: str
    error: str
    seconds: float
    notices: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.error


def check_config(path_or_name: str | Path, run: bool = True) -> CheckResult:
    """Validate one config and, with ``run``, train it for one tiny iteration; never raises for it."""
    start, error = time.perf_counter(), ""
    notes: tuple[str, ...] = ()
    try:
        config = load_tiny_config(path_or_name)
        notes = tuple(config.get(NOTICES, ()))
        if run:
            run_tiny_step(config)
    except (ConfigError, FileNotFoundError) as problem:
        error = str(problem)
    except EvaluationError as problem:
        cause = problem.__cause__
        plain = cause is None or isinstance(cause, ValueError | OSError)
        error = f"{path_or_name}: {(None if plain or cause is None else fault_of(cause)) or problem}"
    except Exception as problem:  # any failure of a config is a result to be listed, not the end
        said = fault_of(problem) or f"the tiny step failed with {type(problem).__name__}: {problem}"
        error = f"{path_or_name}: {said}"
    return CheckResult(str(path_or_name), error, time.perf_counter() - start, notes)


def check_configs(paths: Sequence[str | Path] = (), run: bool = True) -> list[CheckResult]:
    """Check ``paths``, by default all known configs, with a progress bar on standard error."""
    chosen = list(paths) or all_configs()
    results = []
    with progress_bar("Checking configs", len(chosen)) as advance:
        for path in chosen:
            results.append(check_config(path, run))
            advance()
    return results


def print_results(results: Sequence[CheckResult]) -> None:
    """Print the problems, a table and ``N passed, N failed`` as the last line."""
    for result in results:
        if not result.passed:
            say(result.error)
        for notice in result.notices:
            say(f"{result.name}: note: {notice}")
    table = Table("config", "seconds", "result")
    for result in results:
        table.add_row(
            Text(on_screen(Path(result.name).stem)),
            f"{result.seconds:.1f}",
            "passed" if result.passed else "FAILED",
        )
    Console().print(table)
    passed = sum(result.passed for result in results)
    say(f"{passed} passed, {len(results) - passed} failed")
