"""How long one iteration of a config takes on this machine, measured by making a few."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from mmcgan.config import load_config
from mmcgan.registry import build_runner
from mmcgan.timing import Pace, Rounds

#: iterations that are made; the first one is not counted: it warms up
STEPS = 4


class _Stopped(Exception):
    """Enough is known."""


class StepClock(Hook):
    """Notes how long iterations take; ends the training when one alone takes longer than is of use.

    Reading the images counts. On a processor it is the thread's own time that counts, so that other work of
    the machine misleads nobody; on another device, which the thread waits for, the wall clock's.

    Args:
        longest: seconds.
    """

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.rounds = Rounds(time.perf_counter if torch.cuda.is_available() else None)

    def before_train(self, runner: Any) -> None:
        """Start the clock."""
        self.rounds.begin()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop it; leave, if that was too long."""
        if self.rounds.end().own > self.longest:
            raise _Stopped

    def after_iteration(self, runner: Any) -> None:
        """Start it again, behind what hooks do between iterations."""
        self.rounds.begin()


def measure_step(config: str | Path, longest: float = float("inf"), steps: int = STEPS) -> Pace:
    """Return how long an iteration of a config takes here.

    Args:
        config: file or name.
        longest: seconds of an iteration beyond which one is enough to know.
        steps: iterations to make.

    Raises:
        ConfigError: the config cannot work.
    """
    cfg = load_config(config, {"train_cfg.max_iters": steps, "log_level": "ERROR"})
    for key in (
        "val_cfg",
        "val_dataloader",
        "val_evaluator",
        "test_cfg",
        "test_dataloader",
        "test_evaluator",
    ):
        cfg.pop(key, None)
    for name in ("sample_grid", "checkpoint"):
        cfg.default_hooks[name] = None
    cfg.train_cfg.pop("val_interval", None)
    return _run(cfg, StepClock(longest))


def _run(cfg: Config, clock: StepClock) -> Pace:
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg)
        runner.register_hook(clock, priority="VERY_LOW")
        with suppress(_Stopped):
            runner.train()
        return clock.rounds.pace()
