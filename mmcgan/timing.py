"""Which of two ways is the faster one here: short measurements that other work does not mislead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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

#: work that takes as many times its own seconds by the wall clock was held up by other work
HELD_UP = 1.3

Clock = Callable[[], float]


@dataclass(frozen=True)
class Pace:
    """How long a piece of work takes: by itself, and beside what else the machine did meanwhile.

    Attributes:
        own: seconds that the thread computed; what it takes on a machine that is left alone.
        wall: seconds by the clock on the wall.
    """

    own: float
    wall: float

    @property
    def slowdown(self) -> float:
        """How many times as long the work took as it would have alone; at least 1."""
        return max(1.0, self.wall / self.own) if self.own > 0 else 1.0

    @property
    def held_up(self) -> bool:
        """Whether the machine was busy with other work."""
        return self.slowdown > HELD_UP


class Rounds:
    """Notes how long rounds of one kind take, by two clocks.

    Args:
        own: seconds that the work itself takes; :func:`quiet_clock` by default. Work on another device,
            which the thread waits for, needs ``time.perf_counter``.
        wall: seconds that pass.
    """

    def __init__(self, own: Clock | None = None, wall: Clock = time.perf_counter) -> None:
        self._own, self._wall = own or quiet_clock(), wall
        self._begun = (self._own(), self._wall())
        self.rounds: list[Pace] = []

    def begin(self) -> None:
        """Start a round; what came since the last one does not count."""
        self._begun = (self._own(), self._wall())

    def end(self) -> Pace:
        """End a round, start the next one, and return how long it took."""
        now = (self._own(), self._wall())
        self.rounds.append(Pace(now[0] - self._begun[0], now[1] - self._begun[1]))
        self._begun = now
        return self.rounds[-1]

    def pace(self) -> Pace:
        """Return the least own seconds of a round, and the mean of the wall clock's.

        Disturbances only add to the first; the second is what they come to. The first round builds kernels
        and gets memory: it counts only if there is no other.

        Raises:
            ValueError: there was no round.
        """
        if not self.rounds:
            raise ValueError("no round was timed")
        later = self.rounds[1:] or self.rounds
        return Pace(min(one.own for one in later), sum(one.wall for one in later) / len(later))


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
