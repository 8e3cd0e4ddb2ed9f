"""Stops when an evaluation metric no longer improves."""

from __future__ import annotations

import math
from typing import Any

from mmengine.hooks import Hook

from mmcgan.hooks.monitor import Monitor
from mmcgan.registry import HOOKS

STATE = "early_stop"


@HOOKS.register_module()
class EarlyStopHook(Hook):
    """Ends the training after ``patience`` evaluations without improvement.

    Its memory is checkpointed: a resumed run stops where an uninterrupted one would. (MMEngine's
    own hook forgets it.)

    Args:
        monitor: an evaluation metric.
        rule: ``less`` or ``greater`` is better; inferred for common metrics.
        patience: evaluations without improvement that are tolerated.
        min_delta: smaller improvements do not count.
        target: stop as soon as the metric is at least this good.

    Raises:
        ValueError: ``patience`` below 1, or a rule that cannot be inferred.
    """

    changes_training = False

    def __init__(
        self,
        monitor: str,
        rule: str | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        target: float | None = None,
    ) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopHook patience must be >= 1, got {patience}")
        self.monitor = Monitor(monitor, rule)
        self.patience, self.min_delta, self.target = patience, min_delta, target

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Count, and stop the training loop when the count is reached."""
        if not metrics or not runner.is_training:
            return
        value = self.monitor.read(metrics)
        state = runner.message_hub.runtime_info.get(STATE, {"best": None, "waited": 0})
        improved = self.monitor.is_better(value, state["best"], self.min_delta)
        state = {"best": value, "waited": 0} if improved else {**state, "waited": state["waited"] + 1}
        runner.message_hub.update_info(STATE, state)
        reason = self._reason(value, state)
        if reason:
            runner.train_loop.stop_training = True
            runner.logger.info(f"early stop after iteration {runner.iter}: {self.monitor.metric} {reason}")

    def _reason(self, value: float, state: dict[str, Any]) -> str | None:
        if not math.isfinite(value):
            return f"is {value}"
        if self.target is not None and not self.monitor.is_better(self.target, value):
            return f"= {value:g} reached the target {self.target:g}"
        if state["waited"] >= self.patience:
            return f"has not improved on {state['best']:g} in {state['waited']} evaluations"
        return None
