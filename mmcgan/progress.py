"""A progress bar with the time left, on the main process only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmengine.dist import is_main_process
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress_bar(what: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Show a bar named ``what`` on standard error; the function it gives advances it by one.

    Args:
        what: shown before the bar.
        total: number of steps in all.
        done: steps behind us already, which do not count towards the estimated time.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=Console(stderr=True), disable=not is_main_process()) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda: bar.advance(task)


@contextmanager
def training_bar() -> Iterator[Callable[[int, int, float], None]]:
    """Show a bar of updates on standard error; the function it gives takes updates, their total, the loss."""
    text = TextColumn("training {task.completed}/{task.total}, loss {task.fields[loss]:.3f}")
    columns = (text, BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("train", total=None, loss=float("nan"))
        yield lambda step, total, loss: bar.update(task, completed=step, total=total, loss=loss)
