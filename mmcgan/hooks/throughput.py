"""Time, images per second and time left."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from mmengine.hooks import IterTimerHook

from mmcgan.registry import HOOKS


@HOOKS.register_module()
class ThroughputHook(IterTimerHook):
    """Logs ``time``, ``data_time`` and ``images_per_second`` of training, and the ETA.

    Images are real images consumed by all ranks. Evaluation and saving are left out of the
    speed but count for the time left, which is extrapolated from the wall clock. (MMEngine's
    timer books an evaluation on the iteration after it.)

    Args:
        window: iterations over which the speed is averaged.
    """

    changes_training = False

    def __init__(self, window: int = 50) -> None:
        super().__init__()
        self.durations: deque[float] = deque(maxlen=window)
        self.started = self.t = time.time()

    def before_train(self, runner: Any) -> None:
        """Start the clock of the whole run."""
        super().before_train(runner)
        self.started = self.t = time.time()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Record this iteration."""
        duration = time.time() - self.t
        self.durations.append(duration)
        images = runner.train_loop.images_per_iteration * len(self.durations)
        done = runner.iter + 1 - self.start_iter
        left = runner.max_iters - runner.iter - 1
        hub = runner.message_hub
        hub.update_scalar("train/time", duration)
        hub.update_scalar("train/images_per_second", images / max(sum(self.durations), 1e-9))
        hub.update_info("eta", (time.time() - self.started) / done * left)

    def after_iteration(self, runner: Any) -> None:
        """Start the clock of the next iteration, after evaluation and saving."""
        self.t = time.time()
