"""Threads that read ahead: in order, with a bound on what is under way, and no thread left behind."""

import threading

import pytest

from mmcgan import parallel
from mmcgan.parallel import ordered_map


class Counted:
    """Counts items that were asked for and results that were taken."""

    def __init__(self, count):
        self.count, self.asked, self.most, self.taken = count, 0, 0, 0
        self.lock = threading.Lock()

    def items(self):
        for item in range(self.count):
            with self.lock:
                self.asked += 1
                self.most = max(self.most, self.asked - self.taken)
            yield item


@pytest.mark.parametrize(("threads", "ahead"), [(1, 1), (2, 2), (4, 3)])
def test_no_more_is_in_flight_than_said(threads, ahead):
    source = Counted(200)
    found = []
    for value in ordered_map(lambda item: item * item, source.items(), threads, ahead):
        found.append(value)
        with source.lock:
            source.taken += 1
    assert found == [item * item for item in range(200)]
    assert source.most <= threads * ahead
    assert source.most > 0


def test_as_many_threads_work_as_there_are_cores(monkeypatch):
    monkeypatch.setattr(parallel, "available_cores", lambda: 3)
    together = threading.Barrier(3, timeout=20)  # passes only if three wait at once
    assert list(ordered_map(lambda item: together.wait() >= 0, range(3))) == [True] * 3


def test_an_error_comes_in_its_items_place_and_ends_the_threads():
    before = threading.active_count()

    def work(item):
        if item == 5:
            raise ValueError("item 5")
        return item

    found = []
    with pytest.raises(ValueError, match="item 5"):
        found.extend(ordered_map(work, range(100), 2))
    rows = ordered_map(work, range(5), 2)
    next(rows)
    rows.close()
    assert threading.active_count() == before
