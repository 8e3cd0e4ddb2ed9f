"""A progress bar with the time left, on the main process only; and a way to watch it, or to stop the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mmengine.dist import is_main_process
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

from mmcgan.screen import Console
from mmcgan.text_files import on_screen

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

    A terminal gets a bar with the time left, a file a line every :data:`LINE_SECONDS` and one at the end.

    Args:
        what: shown before the bar.
        total: number of steps in all.
        done: steps behind us already, which do not count towards the estimated time.
    """
    watcher = _WATCHER.get()
    if watcher is not None:
        yield _counted(watcher, what, total, done)
        return
    what = on_screen(what)
    console = Console(stderr=True)
    if not console.is_terminal:
        tell = _lines(console, done) if is_main_process() else _silent
        yield _counted(
            lambda what, step, total: tell(f"{what} {step}/{total}", step, total), what, total, done
        )
        return
    with _bar(console, MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda: bar.advance(task)


def _bar(console: Console, *columns: ProgressColumn) -> Progress:
    """Return a bar with what is done before it, and behind it ``columns`` and the time left."""
    parts = (TextColumn("{task.description}", markup=False), BarColumn(), *columns, TimeRemainingColumn())
    return Progress(*parts, console=console, disable=not is_main_process())


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

#: A text, and how many of how many steps are done; None if nobody knows how many there are.
Tell = Callable[[str, int, int | None], None]


def _silent(text: str, step: int, total: int | None) -> None:
    """Say nothing: another process does."""


def _lines(console: Console, done: int = 0) -> Tell:
    """Return what says a text now and then, in a line, with the time left; at the last step the time taken.

    Args:
        done: steps that were behind us at the start, and say nothing of the time that the others take.
    """
    begun = time.monotonic()
    said = [begun]

    def tell(text: str, step: int, total: int | None) -> None:
        now = time.monotonic()
        ended = total is not None and step >= total
        if not ended and (step <= done or now - said[0] < LINE_SECONDS):
            return
        said[0] = now
        ending = _duration(now - begun)
        if total is not None and not ended:
            ending = f"{_duration((now - begun) / (step - done) * (total - step))} left"
        console.print(f"{text}, {ending}", highlight=False, markup=False, soft_wrap=True)

    return tell


def _duration(seconds: float) -> str:
    """Return a time as text, in seconds below a minute."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


@contextmanager
def training_bar() -> Iterator[Callable[[int, int, float], None]]:
    """Show updates on standard error; the function it gives takes updates, their total, the loss.

    A terminal gets a bar with the time left, a file a line every :data:`LINE_SECONDS` and one at the end.
    """
    if not (console := Console(stderr=True)).is_terminal:
        tell = _lines(console)
        yield lambda step, total, loss: tell(f"training {step}/{total}, loss {loss:.3f}", step, total)
        return
    text = TextColumn("training {task.completed}/{task.total}, loss {task.fields[loss]:.3f}")
    columns = (text, BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("train", total=None, loss=float("nan"))
        yield lambda step, total, loss: bar.update(task, completed=step, total=total, loss=loss)


@contextmanager
def bytes_bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show bytes on standard error; the function it gives takes those that are here, and all if known.

    A terminal gets a bar with the time left, a file a line every :data:`LINE_SECONDS` and one at the end.
    """
    what = on_screen(what)
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _byte_lines(console, what) if is_main_process() else lambda done, total: None
        return
    with _bar(console, DownloadColumn()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _byte_lines(console: Console, what: str) -> Callable[[int, int | None], None]:
    """Return what says bytes in lines; those of the first call were here before."""
    tell: Tell | None = None

    def show(done: int, total: int | None) -> None:
        nonlocal tell
        tell = tell or _lines(console, done)
        of = "" if total is None else f"/{total / 1e6:.1f}"
        tell(f"{what} {done / 1e6:.1f}{of} MB", done, total)

    return show
