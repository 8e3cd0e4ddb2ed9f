"""SIGTERM and Ctrl-C as a polite request to stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# torchrun and a terminal may both deliver one Ctrl-C; only a later one is a second wish.
SECOND_PRESS_SECONDS = 1.0


class EvaluationInterrupted(Exception):
    """An evaluation was given up because the run was asked to stop."""


class StopRequest:
    """While active, notes the first stop signal instead of dying of it.

    The training loop asks :attr:`name` after each iteration. A second Ctrl-C, more than a
    second later, interrupts at once. Outside the main thread nothing is installed.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self._when = 0.0
        self._process = os.getpid()
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            return self._in_child(number)
        again = self.name is not None and time.monotonic() - self._when > SECOND_PRESS_SECONDS
        if number == signal.SIGINT and again:
            raise KeyboardInterrupt
        if self.name is None:
            self.name, self._when = signal.Signals(number).name, time.monotonic()
        return None

    def _in_child(self, number: int) -> None:
        """Loader workers inherit the handler: they outlive a Ctrl-C, and obey SIGTERM."""
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
