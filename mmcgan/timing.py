"""Which of two ways is the faster one here: short measurements that other work does not mislead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

#: rounds before anything is concluded, and at most
LEAST_ROUNDS = 12
MOST_ROUNDS = 40
#: a least time counts as found once a second round came this near to it
AGREEMENT = 1.1
#: seconds of work after which the search for agreement is given up
PATIENCE = 0.25
#: a way that takes this many times as long as another in each of the first rounds needs no further ones
PLAINLY_SLOWER = 4.0
PLAIN_ROUNDS = 3

Clock = Callable[[], float]


def quiet_clock() -> Clock:
    """Return the clock that counts what this thread computes, not what it waits for, where it is fine enough.

    What is timed by it must run on one thread. On systems whose clock of threads ticks slowly, the wall
    clock is the better one.
    """
    fine = time.get_clock_info("thread_time").resolution <= 1e-5
    return time.thread_time if fine else time.perf_counter


def least_seconds(ways: Sequence[Callable[[], object]], clock: Clock | None = None) -> list[float]:
    """Return the least seconds that each of several ways to do something takes.

    Every way runs once untimed, which builds kernels and gets memory. Then they take turns, in alternating
    order, so that whatever slows the machine for a while slows all of them. A disturbance only ever adds
    time: the least of several rounds is the way's own, and it is believed once a second round confirms it.

    Args:
        ways: each does the work once, in some milliseconds.
        clock: seconds; :func:`quiet_clock` by default.
    """
    clock = clock or quiet_clock()
    for way in ways:
        way()
    started = clock()
    seconds: list[list[float]] = [[] for _ in ways]
    for number in range(MOST_ROUNDS):
        turns = list(enumerate(ways))
        for place, way in turns if number % 2 else reversed(turns):
            begin = clock()
            way()
            seconds[place].append(clock() - begin)
        if number + 1 >= LEAST_ROUNDS and (_agree(seconds) or clock() - started > PATIENCE):
            break
        if number + 1 == PLAIN_ROUNDS and _plainly_apart(seconds):
            break
    return [min(found) for found in seconds]


def _agree(seconds: list[list[float]]) -> bool:
    """Return whether the two least times of every way are nearly equal."""
    least = [sorted(found)[:2] for found in seconds]
    return all(second <= AGREEMENT * first for first, second in least)


def _plainly_apart(seconds: list[list[float]]) -> bool:
    """Return whether the slowest way was far slower than the fastest in every round, and alike."""
    slowest, fastest = max(seconds, key=min), min(seconds, key=min)
    return min(slowest) > PLAINLY_SLOWER * max(fastest) and _agree(seconds)
