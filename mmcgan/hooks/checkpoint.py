"""Saves the training state: at intervals, at the best evaluation, and at the end."""

from __future__ import annotations

import math
import re
import statistics
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook

from mmcgan.checkpoints.files import list_checkpoints, write_pointer
from mmcgan.hooks.monitor import Monitor
from mmcgan.registry import HOOKS

BEST, RECENT = "best_metric", "recent_evaluations"


@HOOKS.register_module()
class GANCheckpointHook(Hook):
    """Writes ``iter_N.pth`` and, with ``save_best``, ``best_<metric>.pth`` in the work directory.

    Files appear whole or not at all. Older ones are deleted only after the new one is on
    disk; the best file is replaced in one move and never deleted.

    Args:
        interval: save every this many iterations; also at the last one and on a stop.
        max_keep: ``iter_N.pth`` files to keep; None keeps all.
        save_best: an evaluation metric, or None.
        rule: ``less`` or ``greater`` is better; inferred for common metrics.
        median_of: an evaluation counts as the median of itself and those before it, this many in all, so that
            one lucky evaluation does not decide; the first ``median_of - 1`` evaluations decide nothing.

    Raises:
        ValueError: an interval or count below 1, or a rule that cannot be inferred.
    """

    priority = "VERY_LOW"
    only_once = True
    changes_training = False

    def __init__(
        self,
        interval: int = 1000,
        max_keep: int | None = 3,
        save_best: str | None = None,
        rule: str | None = None,
        median_of: int = 1,
    ) -> None:
        if median_of < 1:
            raise ValueError(f"median_of must be >= 1, got {median_of}")
        if interval < 1 or (max_keep is not None and max_keep < 1):
            raise ValueError(
                f"checkpoint interval and max_keep must be >= 1, got interval={interval}, max_keep={max_keep}"
            )
        self.interval, self.max_keep, self.median_of = interval, max_keep, median_of
        self.monitor = Monitor(save_best, rule) if save_best else None
        self._improved = False

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Note whether this evaluation is the best so far."""
        if self.monitor is None or not metrics or not runner.is_training:
            return
        value = self._settled(runner, self.monitor.read(metrics))
        if value is None:
            return
        best = runner.message_hub.runtime_info.get(BEST, {})
        if self.monitor.is_better(value, best.get(self.monitor.metric)):
            runner.message_hub.update_info(BEST, {**best, self.monitor.metric: value, "iter": runner.iter})
            self._improved = True

    def _settled(self, runner: Any, value: float) -> float | None:
        """Return the median of this evaluation and those before; None as long as there are too few."""
        if self.median_of == 1:
            return value
        recent = [*runner.message_hub.runtime_info.get(RECENT, []), value][-self.median_of :]
        runner.message_hub.update_info(RECENT, recent)
        if len(recent) < self.median_of or any(map(math.isnan, recent)):
            return None
        return statistics.median(recent)

    def best_file(self, work_dir: str | Path) -> Path:
        """Return where the best checkpoint is kept; for hooks with ``save_best``."""
        assert self.monitor is not None
        slug = re.sub(r"[^A-Za-z0-9.-]+", "_", self.monitor.metric)
        return Path(work_dir) / f"best_{slug}.pth"

    def after_iteration(self, runner: Any) -> None:
        """Save what is due; the iteration is counted and evaluated by now."""
        if self._improved and self.monitor is not None:
            self._improved = False
            path = self.best_file(runner.work_dir)
            runner.save_checkpoint(path)
            runner.logger.info(f"best {self.monitor.metric} so far: {path}")
        last = runner.iter >= runner.max_iters or runner.train_loop.stop_training
        if last or runner.iter % self.interval == 0:
            self._save(runner)

    def _save(self, runner: Any) -> None:
        folder = Path(runner.work_dir)
        path = folder / f"iter_{runner.iter}.pth"
        runner.save_checkpoint(path)
        if runner.rank != 0:
            return
        write_pointer(folder, path)
        runner.logger.info(f"saved {path}")
        for old in list_checkpoints(folder)[self.max_keep :] if self.max_keep else []:
            if old != path:
                old.unlink(missing_ok=True)
