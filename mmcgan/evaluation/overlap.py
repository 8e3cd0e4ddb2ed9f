"""Two things at once: reading the next batch, and working on the last one, beside the main thread.

Tensor operations and image decoding release Python's lock, so that threads are enough.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch

Item = TypeVar("Item")
_END = object()


def prefetch(items: Iterable[Item], depth: int = 2) -> Iterator[Item]:
    """Yield ``items`` in order while a thread computes up to ``depth`` of them ahead.

    An error of ``items`` is raised where its item would have come. Leaving early stops the thread.

    Raises:
        ValueError: ``depth`` is below 1.
    """
    if depth < 1:
        raise ValueError(f"prefetch: depth must be at least 1, got {depth}")
    ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, ready, stopped), daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        thread.join()


def _fill(items: Iterable[Any], ready: queue.Queue[Any], stopped: threading.Event) -> None:
    try:
        for item in items:
            if not _put(ready, (item, None), stopped):
                return
        _put(ready, (_END, None), stopped)
    except BaseException as error:  # raised again in the thread that waits
        _put(ready, (None, error), stopped)


def _put(ready: queue.Queue[Any], entry: Any, stopped: threading.Event) -> bool:
    """Wait for a place in the queue; return False once nobody reads it any more."""
    while not stopped.is_set():
        try:
            ready.put(entry, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False


class BackgroundWorker:
    """Calls a function with one item after the other in a thread, at most ``depth`` items behind.

    Args:
        work: called with each item, in order.
        depth: how many items may wait.
    """

    def __init__(self, work: Callable[[Any], None], depth: int = 2) -> None:
        self._work = work
        self._waiting: queue.Queue[Any] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._reported = False
        self._threads = torch.get_num_threads()
        self._thread: threading.Thread | None = None

    def submit(self, item: Any) -> None:
        """Hand over an item; waits while ``depth`` others do.

        Raises:
            BaseException: what an earlier item raised.
        """
        if self._error is not None:
            self._reported = True
            raise self._error
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._waiting.put(item)

    def finish(self) -> None:
        """Wait until all items are done, and start afresh.

        Raises:
            BaseException: what an item raised, unless :meth:`submit` raised it before.
        """
        if self._thread is not None:
            self._waiting.put(_END)
            self._thread.join()
            self._thread = None
        error, reported = self._error, self._reported
        self._error, self._reported = None, False
        if error is not None and not reported:
            raise error

    def _run(self) -> None:
        torch.set_num_threads(self._threads)  # a setting of each thread
        while (item := self._waiting.get()) is not _END:
            if self._error is not None:
                continue  # empty the queue: nothing after a failure counts
            try:
                self._work(item)
            except BaseException as error:  # raised again by submit or finish
                self._error = error
