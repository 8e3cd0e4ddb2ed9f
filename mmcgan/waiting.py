"""Waiting for another process, as long as it shows that it gets on."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_while_alive(
    ready: Callable[[], bool], sign: Callable[[], float], complaint: str, poll: float, stall: float
) -> None:
    """Wait until ``ready`` says so.

    Args:
        ready: asked again and again.
        sign: a number that changes while the other process works, such as the size of its file.
        complaint: what to say if it does not.
        poll: seconds between two questions.
        stall: seconds without a change after which the other process is taken to have died.

    Raises:
        TimeoutError: ``complaint``.
    """
    seen, since = sign(), time.monotonic()
    while not ready():
        now = sign()
        if now != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > stall:
            raise TimeoutError(complaint)
        time.sleep(poll)
