"""Ratios of times on a machine that is busy, simulated by a clock that this file moves."""

import random
import time

import pytest

from mmcgan import timing
from mmcgan.precision import LEAST_RATIO
from mmcgan.timing import Pace, Rounds, least_seconds, quiet_clock


class NoisyMachine:
    """A clock, and work that takes its own time and what others on the machine add to it.

    Args:
        seed: of the noise.
        spikes: share of rounds that something interrupts, for 1 to 30 ms more.
        bursts: whether the machine also slows down three times for some rounds in a row.
        first: times as long that the first run of every way takes: kernels are built.
    """

    def __init__(self, seed, spikes=0.0, bursts=False, first=20.0):
        self.draw = random.Random(seed)
        self.spikes, self.bursts, self.first = spikes, bursts, first
        self.now, self.slow, self.started, self.rounds = 0.0, 0, set(), 0

    def clock(self):
        self.now += 1e-7
        return self.now

    def work(self, seconds):
        def run():
            self.rounds += 1
            if self.bursts and self.draw.random() < 0.1:
                self.slow = 4
            needed = seconds * (1 if seconds in self.started else self.first) * (3 if self.slow else 1)
            self.started.add(seconds)
            self.slow = max(0, self.slow - 1)
            needed *= 1 + 0.03 * self.draw.random()
            if self.draw.random() < self.spikes:
                needed += 0.001 + self.draw.expovariate(1 / 0.01)
            self.now += needed

        return run


def ratio(machine, first, second):
    found = least_seconds([machine.work(first), machine.work(second)], machine.clock)
    return found[0] / found[1]


TRUTHS = [(0.004, 0.002), (0.003, 0.003), (0.003, 0.03)]


@pytest.mark.parametrize("spikes", [0.0, 0.3])
@pytest.mark.parametrize(("first", "second"), TRUTHS)
def test_noise_does_not_move_the_ratio(first, second, spikes):
    found = [ratio(NoisyMachine(seed, spikes), first, second) for seed in range(200)]
    wrong = [value for value in found if not 0.85 < value * second / first < 1.15]
    assert len(wrong) <= (1 if spikes else 0)


@pytest.mark.parametrize(("first", "second"), TRUTHS)
def test_hard_noise_does_not_turn_the_answer(first, second):
    found = [ratio(NoisyMachine(seed, spikes=0.4, bursts=True), first, second) for seed in range(200)]
    right = first / second > LEAST_RATIO
    assert sum((value > LEAST_RATIO) != right for value in found) <= 4


def test_what_is_built_in_the_first_round_is_not_timed():
    assert ratio(NoisyMachine(0, first=1000.0), 0.004, 0.002) == pytest.approx(2, rel=0.05)


def test_time_is_short_and_bounded():
    quiet = NoisyMachine(0, first=1.0)
    ratio(quiet, 0.004, 0.002)
    assert quiet.rounds == 2 * (timing.LEAST_ROUNDS + 1)
    emulated = NoisyMachine(0, first=1.0)
    ratio(emulated, 0.003, 0.03)
    assert emulated.rounds == 2 * (timing.PLAIN_ROUNDS + 1)
    # nothing ever agrees: given up by time, after the least number of rounds
    hopeless = NoisyMachine(0, spikes=1.0, first=1.0)
    ratio(hopeless, 0.05, 0.04)
    assert hopeless.rounds == 2 * (timing.LEAST_ROUNDS + 1)


def test_ways_take_turns_in_alternating_order():
    calls = []
    ticks = iter(range(10**6))
    least_seconds([lambda: calls.append("a"), lambda: calls.append("b")], lambda: next(ticks) * 0.001)
    assert calls[:6] == ["a", "b", "b", "a", "a", "b"]


def test_the_clock_counts_work_and_not_waiting():
    clock = quiet_clock()
    begin = clock()
    time.sleep(0.03)
    waited = clock() - begin
    if clock is time.thread_time:
        assert waited < 0.02
    else:
        assert waited >= 0.02


def test_a_coarse_clock_of_threads_is_not_used(monkeypatch):
    coarse = type("Info", (), {"resolution": 0.015})()
    monkeypatch.setattr(time, "get_clock_info", lambda name: coarse)
    assert quiet_clock() is time.perf_counter


# --- rounds of work: own seconds and the wall's --------------------------------------------------


class TwoClocks:
    """Two clocks that this file moves: what work takes by itself, and what the machine made of it."""

    def __init__(self):
        self.own, self.wall = 0.0, 0.0

    def work(self, seconds, slowdown=1.0):
        self.own += seconds
        self.wall += seconds * slowdown


def timed(rounds):
    """Return the pace of rounds, given as (seconds, slowdown), with work between them that is no round."""
    clocks = TwoClocks()
    watch = Rounds(lambda: clocks.own, lambda: clocks.wall)
    for seconds, slowdown in rounds:
        clocks.work(7.0)
        watch.begin()
        clocks.work(seconds, slowdown)
        watch.end()
    return watch.pace()


def test_other_work_of_the_machine_does_not_lengthen_rounds():
    alone = timed([(9.0, 1), (0.5, 1), (0.5, 1), (0.5, 1)])
    busy = timed([(9.0, 4), (0.5, 4), (0.5, 2), (0.5, 6)])
    assert alone.own == pytest.approx(0.5) and busy.own == pytest.approx(0.5)
    assert not alone.held_up and busy.held_up
    assert busy.slowdown == pytest.approx(4) and busy.wall == pytest.approx(2)


def test_the_first_round_counts_only_where_there_is_no_other():
    assert timed([(9.0, 1)]).own == pytest.approx(9)
    assert timed([(9.0, 1), (1.0, 1)]).own == pytest.approx(1)
    with pytest.raises(ValueError, match="no round"):
        timed([])


def test_a_pace_without_own_time_is_no_ratio():
    assert Pace(0.0, 1.0).slowdown == 1.0 and Pace(2.0, 1.0).slowdown == 1.0


def test_waiting_is_no_work_of_a_thread():
    watch = Rounds(time.thread_time)
    time.sleep(0.05)
    pace = watch.end()
    assert pace.wall >= 0.05 and pace.own < 0.04 and pace.held_up
