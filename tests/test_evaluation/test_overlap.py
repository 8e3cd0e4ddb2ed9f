import threading
import time

import pytest

from mmcgan.evaluation.overlap import BackgroundWorker, prefetch


def test_items_come_in_order_and_are_computed_in_another_thread():
    threads = []

    def items():
        for number in range(20):
            threads.append(threading.get_ident())
            yield number

    assert list(prefetch(items())) == list(range(20))
    assert set(threads) == {threads[0]} != {threading.get_ident()}


def test_reading_goes_on_while_the_consumer_works():
    def slow():
        for number in range(6):
            time.sleep(0.05)
            yield number

    start = time.perf_counter()
    for _ in prefetch(slow()):
        time.sleep(0.05)
    assert time.perf_counter() - start < 0.52  # 0.6 s one after the other


def test_no_more_than_depth_items_wait():
    made = []

    def items():
        for number in range(10):
            made.append(number)
            yield number

    source = prefetch(items(), depth=2)
    next(source)
    time.sleep(0.2)
    assert len(made) <= 4  # the one out, two in the queue, one that waits for a place
    source.close()


def test_an_error_arrives_where_its_item_would_have():
    def items():
        yield 1
        raise OSError("image 2 is broken")

    source = prefetch(items())
    assert next(source) == 1
    with pytest.raises(OSError, match="image 2 is broken"):
        next(source)


def test_leaving_early_stops_the_thread():
    before = threading.active_count()
    source = prefetch(iter(range(1000)))
    next(source)
    source.close()
    assert threading.active_count() == before


def test_a_worker_keeps_the_order_and_finishes():
    done = []
    worker = BackgroundWorker(done.append)
    for number in range(30):
        worker.submit(number)
    worker.finish()
    assert done == list(range(30))
    worker.submit(30)  # it can be used again
    worker.finish()
    assert done[-1] == 30


def test_a_failure_in_the_worker_is_raised_and_nothing_after_it_counts():
    done = []

    def work(number):
        if number == 1:
            raise ValueError("batch 1 is bad")
        done.append(number)

    worker = BackgroundWorker(work)
    with pytest.raises(ValueError, match="batch 1 is bad"):
        for number in range(100):
            worker.submit(number)
        worker.finish()
    worker.finish()
    assert done == [0]
