"""Signals of schedulers and terminals as a polite request to stop, for the run and not for its workers.

A run is asked to stop by SIGTERM (Slurm's preemption and time limit, systemd, docker, kill), SIGINT (Ctrl-C),
SIGHUP (a closed terminal) or SIGUSR1 (Slurm's ``--signal``). Sent to the whole process group they would kill
the loader's workers too, and the run with them before it has saved; so children ignore what does not come
from the run itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1") if hasattr(signal, name)
)
#: what nohup lets a run ignore; SIGINT, which shells let background jobs ignore, is a request all the same
IGNORABLE = tuple(getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name))
# torchrun and a terminal may both deliver one Ctrl-C; only a later one is a second wish.
SECOND_PRESS_SECONDS = 1.0
#: how often a rank looks whether its launcher is still there
LAUNCHER_POLL_SECONDS = 0.5
#: what a rank without a launcher may take to finish its iteration and save, before it gives up
GRACE_SECONDS = 600.0

_active: StopRequest | None = None


def current_request() -> StopRequest | None:
    """Return the request that is active in this process, if there is one."""
    return _active


class EvaluationInterrupted(Exception):
    """An evaluation was given up because the run was asked to stop."""


class StopRequest:
    """While active, notes the first stop signal instead of dying of it.

    The training loop asks :attr:`name` after each iteration. A second Ctrl-C, more than a second later,
    interrupts at once. Outside the main thread nothing is installed. A signal that the run was started to
    ignore (``nohup``) stays ignored. Can be entered again while it is active.

    Args:
        to_the_end: this is all that the process does. If it succeeds, signals that come later are ignored:
            everything is saved, and leaving takes an interpreter with torch a while, in which a signal would
            turn a success into a failure.
    """

    def __init__(self, to_the_end: bool = False) -> None:
        self.to_the_end = to_the_end
        self.name: str | None = None
        self._when = 0.0
        self._process = os.getpid()
        self._previous: dict[int, Any] = {}
        self._depth = 0
        self._outer: StopRequest | None = None

    def __enter__(self) -> StopRequest:
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if number not in IGNORABLE or signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
            self._outer = _active
            _activate(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            _activate(self._outer)
            done = self.to_the_end and error is None
            for number, handler in self._previous.items():
                signal.signal(number, signal.SIG_IGN if done else handler)
            self._previous = {}

    def ask(self, reason: str) -> None:
        """Ask the run to stop, as a signal would."""
        if self.name is None:
            self.name, self._when = reason, time.monotonic()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            return  # a child between its fork and its shield
        again = self.name is not None and time.monotonic() - self._when > SECOND_PRESS_SECONDS
        if number == signal.SIGINT and again:
            raise KeyboardInterrupt
        self.ask(signal.Signals(number).name)


# --- children -------------------------------------------------------------------------------------
def _activate(request: StopRequest | None) -> None:
    global _active
    _active = request


class _Mask(threading.local):
    """What a thread took no signals of before it forked, None while it does not."""

    old: Any = None


_mask = _Mask()


def _before_fork() -> None:
    if _active is not None:
        _mask.old = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _after_in_parent() -> None:
    old = _mask.old
    if old is not None:
        _mask.old = None
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def _after_in_child() -> None:
    """Let a thread take the signals of this child: of its parent it obeys, others are for the parent."""
    if _mask.old is None:
        return
    _mask.old = None
    _activate(None)
    threading.Thread(target=_shield, args=(os.getppid(),), name="signal shield", daemon=True).start()


def _shield(parent: int) -> None:
    while True:
        received = signal.sigwaitinfo(SIGNALS)
        if received.si_pid == parent and received.si_signo == signal.SIGTERM:
            os._exit(0)  # multiprocessing ends its workers so; the parent no longer wants anything


if hasattr(os, "register_at_fork") and hasattr(signal, "sigwaitinfo"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)


# --- launchers ------------------------------------------------------------------------------------
def watch_launcher(request: StopRequest) -> threading.Event:
    """Ask a rank to stop once the process that started it is gone, such as a ``torchrun`` that was killed.

    Whoever adopts the rank has another process id. A rank that cannot finish its iteration, because the
    others are gone, ends after :data:`GRACE_SECONDS`.

    Returns:
        Set it to end the watch.
    """
    launcher, done = os.getppid(), threading.Event()

    def watch() -> None:
        while not done.wait(LAUNCHER_POLL_SECONDS):
            if os.getppid() != launcher:
                request.ask("the end of its launcher")
                if not done.wait(GRACE_SECONDS):
                    os._exit(1)
                return

    with contextlib.suppress(RuntimeError):  # at the interpreter's end no thread starts
        threading.Thread(target=watch, name="launcher watch", daemon=True).start()
    return done
