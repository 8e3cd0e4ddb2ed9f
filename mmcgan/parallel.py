"""Work done by several threads, with a bound on what is under way.

Decoding images and hashing release Python's lock, so that threads are enough.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def ordered_map(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None, ahead: int = 2
) -> Iterator[Result]:
    """Yield ``work(item)`` of every item in order, computed by ``threads`` threads.

    No more than ``threads * ahead`` results are under way or waiting to be taken, however many items there
    are. Leaving early, or an error of ``work``, which is raised in its item's place, stops the rest.

    Args:
        work: called in any thread.
        items: looked at in the caller's thread, as they are needed.
        threads: one per available core by default.
        ahead: items per thread that are started before their turn.
    """
    threads = threads or available_cores()
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= threads * ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
