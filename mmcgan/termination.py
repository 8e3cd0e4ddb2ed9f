"""A command that is told to end unwinds as after Ctrl-C: temporary files go, and so do its child processes.

Without this, SIGTERM (``kill``, schedulers, docker) and SIGHUP (a closed terminal) end a Python process where
it stands: trainings that it had started go on without it, and half-written files stay. Training runs have
their own answer (:mod:`mmcgan.engine.signals`), which takes the place of this one while they run.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """The process was told to end.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"by {signal.Signals(number).name}")
        self.number = number


def interrupt_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt that an error was raised in place of, or on the way out of; None without one.

    Libraries catch everything, and blame what they were working on: MMEngine calls a config that it was
    formatting when Ctrl-C came one with a syntax error.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        here = waiting.pop()
        if isinstance(here, KeyboardInterrupt):
            return here
        if here is not None and id(here) not in seen:
            seen.add(id(here))
            waiting += [here.__context__, here.__cause__]
    return None


@contextmanager
def unwinding() -> Iterator[None]:
    """Within it, a signal to end raises :class:`Terminated` in the main thread.

    Signals that are answered otherwise already, or ignored (``nohup``), stay so. A forked child dies of them
    as it would have: what is to be cleaned up is its parent's. Outside the main thread nothing is installed.
    """
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        raise Terminated(number)

    installed: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        installed = {n: signal.signal(n, end) for n in SIGNALS if signal.getsignal(n) is signal.SIG_DFL}
    try:
        yield
    finally:
        for number, previous in installed.items():
            if signal.getsignal(number) is end:  # a run that is done lets later signals be ignored
                signal.signal(number, previous)
