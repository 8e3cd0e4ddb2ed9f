"""How long one iteration of a config takes on this machine, measured by making a few."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook

from mmcgan.config import load_config
from mmcgan.registry import build_runner

#: iterations that are made; the first one is not counted: it warms up
STEPS = 4


class _Stopped(Exception):
    """Enough is known."""


class StepClock(Hook):
    """Notes how long iterations take; ends the training when one alone takes longer than is of use.

    Args:
        longest: seconds.
    """

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.seconds: list[float] = []
        self._begun = 0.0

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Start the clock."""
        self._begun = time.perf_counter()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop it; leave, if that was too long."""
        self.seconds.append(time.perf_counter() - self._begun)
        if self.seconds[-1] > self.longest:
            raise _Stopped


def measure_step(config: str | Path, longest: float = float("inf"), steps: int = STEPS) -> float:
    """Return how many seconds an iteration of a config takes here.

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


def _run(cfg: Config, clock: StepClock) -> float:
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg)
        runner.register_hook(clock, priority="VERY_LOW")
        try:
            runner.train()
        except _Stopped:
            return clock.seconds[-1]
        return min(clock.seconds[1:] or clock.seconds)
