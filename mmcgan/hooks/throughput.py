"""Time, images per second and time left."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from mmengine.hooks import IterTimerHook

from mmcgan.registry import HOOKS

#: iterations after which the time left is judged, and the seconds from which on it is spoken of
JUDGED_AFTER, LONG = 5, 24 * 3600.0


def _too_long(step: float, left: int, iterations: int) -> str:
    """Return what is said of a training that takes days: how long, and what fits into one."""
    fits = max(1, int(LONG / step))
    days = step * left / LONG
    return (
        f"{step:.3g} s an iteration: {iterations:,} of them take {days:.1f} days here. Into a day fit "
        f"{fits:,} (train_cfg.max_iters={fits}); networks of half as many channels take a third to a half of "
        "the time an iteration, images of half the side about a quarter; mmcgan new FOLDER --hours H "
        "measures what fits into a time of yours and writes the config"
    )


@HOOKS.register_module()
class ThroughputHook(IterTimerHook):
    """Logs ``time``, ``data_time`` and ``images_per_second`` of training, and the ETA.

    Images are real images consumed by all ranks. Evaluation and saving are left out of the
    speed but count for the time left, which is extrapolated from the wall clock. (MMEngine's
    timer books an evaluation on the iteration after it.) After a few iterations, a training that will take
    more than a day says so, and what would fit.

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
        eta = (time.time() - self.started) / done * left
        hub.update_info("eta", eta)
        if done == JUDGED_AFTER and eta > LONG and runner.rank == 0:
            # the first iterations warm up: the fastest one says what is to come
            runner.logger.warning(_too_long(min(self.durations), left, runner.max_iters))

    def after_iteration(self, runner: Any) -> None:
        """Start the clock of the next iteration, after evaluation and saving."""
        self.t = time.time()
