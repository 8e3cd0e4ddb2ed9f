"""A progress bar with the time left, on the main process only; and a way to watch it, or to stop the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mmengine.dist import is_main_process
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

#: What is done, how many steps of it are behind us, and how many there are in all.
Watcher = Callable[[str, int, int], None]
_WATCHER: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Tell ``watcher`` of every step of the bars of this thread, in place of showing them.

    What it raises ends the work at that step: so a page shows progress, and stops what takes too long.
    """
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)


@contextmanager
def progress_bar(what: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Show a bar named ``what`` on standard error; the function it gives advances it by one.

    Args:
        what: shown before the bar.
        total: number of steps in all.
        done: steps behind us already, which do not count towards the estimated time.
    """
    watcher = _WATCHER.get()
    if watcher is not None:
        yield _counted(watcher, what, total, done)
        return
    with _bar(MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda: bar.advance(task)


@contextmanager
def bytes_bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar of bytes on standard error; the function it gives takes those done and in all, if known."""
    with _bar(DownloadColumn()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _bar(*columns: ProgressColumn) -> Progress:
    """Return a bar with what is done before it, and behind it ``columns`` and the time left."""
    parts = (TextColumn("{task.description}"), BarColumn(), *columns, TimeRemainingColumn())
    return Progress(*parts, console=Console(stderr=True), disable=not is_main_process())


def _counted(watcher: Watcher, what: str, total: int, done: int) -> Callable[[], None]:
    """Return what counts steps for ``watcher``, after it was told that the work begins."""
    behind = done

    def advance() -> None:
        nonlocal behind
        behind += 1
        watcher(what, behind, total)

    watcher(what, behind, total)
    return advance


#: seconds between lines where a bar cannot be drawn: a file, a job's log
LINE_SECONDS = 20.0


def _lines(console: Console) -> Callable[[int, int, float], None]:
    """Return what says now and then, in a line, how far a training is and how long it still takes."""
    begun = time.monotonic()
    said = [begun]

    def tell(step: int, total: int, loss: float) -> None:
        now = time.monotonic()
        if step < total and now - said[0] < LINE_SECONDS:
            return
        said[0] = now
        left = (now - begun) / step * (total - step)
        minutes = f"{left / 60:.1f} min left" if step < total else f"{(now - begun) / 60:.1f} min"
        console.print(f"training {step}/{total}, loss {loss:.3f}, {minutes}", highlight=False)

    return tell


@contextmanager
def training_bar() -> Iterator[Callable[[int, int, float], None]]:
    """Show updates on standard error; the function it gives takes updates, their total, the loss.

    A terminal gets a bar with the time left, a file a line every :data:`LINE_SECONDS` and one at the end.
    """
    if not (console := Console(stderr=True)).is_terminal:
        yield _lines(console)
        return
    text = TextColumn("training {task.completed}/{task.total}, loss {task.fields[loss]:.3f}")
    columns = (text, BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("train", total=None, loss=float("nan"))
        yield lambda step, total, loss: bar.update(task, completed=step, total=total, loss=loss)
