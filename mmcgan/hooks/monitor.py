"""A metric to watch, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mmcgan.figure_directions import better
from mmcgan.suggestions import nearest


class Monitor:
    """Compares values of one evaluation metric.

    Args:
        metric: name in the evaluation's results.
        rule: ``less`` or ``greater`` is better; without it, what the metric declares.

    Raises:
        ValueError: the rule is unknown, or cannot be inferred.
    """

    def __init__(self, metric: str, rule: str | None = None) -> None:
        self.metric, self.rule = metric, rule or _infer(metric)
        if self.rule not in ("less", "greater"):
            raise ValueError(f"the rule for metric {metric!r} must be 'less' or 'greater', got {self.rule!r}")

    def read(self, metrics: Mapping[str, Any]) -> float:
        """Return the metric's value in ``metrics``.

        Raises:
            KeyError: it is not there; the message suggests names.
        """
        if self.metric not in metrics:
            raise KeyError(
                f"no metric {self.metric!r} in the evaluation.{nearest(self.metric, list(metrics))}"
            )
        return float(metrics[self.metric])

    def is_better(self, value: float, best: float | None, margin: float = 0.0) -> bool:
        """Return whether ``value`` beats ``best`` by more than ``margin``.

        NaN and infinity beat nothing, and whatever is finite beats them.
        """
        if not math.isfinite(value):
            return False
        if best is None or not math.isfinite(best):
            return True
        return value < best - margin if self.rule == "less" else value > best + margin


def _infer(metric: str) -> str:
    way = better(metric)
    if way is None:
        raise ValueError(
            f"say whether less or greater is better for metric {metric!r}: rule='less' or 'greater'"
        )
    return way
