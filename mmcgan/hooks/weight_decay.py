"""Weight decay that changes in the course of training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook

from mmcgan.registry import HOOKS, nearest

Schedule = Callable[[int, int], float]


def constant(value: float) -> Schedule:
    """Return ``value`` always."""
    return lambda iteration, total: value


def linear(start: float, end: float, begin: int = 0, until: int | None = None) -> Schedule:
    """Go from ``start`` to ``end`` on a straight line between two iterations."""
    return lambda i, total: start + (end - start) * _progress(i, begin, until or total)


def cosine(start: float, end: float, begin: int = 0, until: int | None = None) -> Schedule:
    """Go from ``start`` to ``end`` along half a cosine between two iterations."""
    return lambda i, total: (
        end + (start - end) * (1 + math.cos(math.pi * _progress(i, begin, until or total))) / 2
    )


def step(start: float, factor: float, milestones: Sequence[int]) -> Schedule:
    """Multiply ``start`` by ``factor`` at each milestone reached."""
    return lambda iteration, total: start * factor ** sum(iteration >= m for m in milestones)


SCHEDULES: dict[str, Callable[..., Schedule]] = {f.__name__: f for f in (constant, linear, cosine, step)}


def _progress(iteration: int, begin: int, until: int) -> float:
    return min(max((iteration - begin) / max(until - begin, 1), 0.0), 1.0)


@HOOKS.register_module()
class WeightDecayScheduleHook(Hook):
    """Sets the weight decay of each player's optimiser before every iteration.

    A function of the iteration alone, so that a resumed run needs no state. Each player's
    schedule is a dict with ``kind`` and its arguments::

        constant: value                    linear, cosine: start, end, begin=0, until=max_iters
        step: start, factor, milestones

    ``decay_mult`` of the optimiser's per-parameter rules multiplies the scheduled value.

    Args:
        generator: schedule of the generator's optimiser; None leaves it alone.
        discriminator: schedule of the discriminator's.

    Raises:
        ValueError: an unknown kind, or wrong arguments.
    """

    priority = "HIGH"

    def __init__(
        self, generator: Mapping[str, Any] | None = None, discriminator: Mapping[str, Any] | None = None
    ) -> None:
        configs = {"generator": generator, "discriminator": discriminator}
        self.schedules = {player: _build(player, c) for player, c in configs.items() if c is not None}

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Set the values of this iteration and log them."""
        for player, schedule in self.schedules.items():
            value = schedule(runner.iter, runner.max_iters)
            for group in runner.optim_wrapper[player].optimizer.param_groups:
                group["weight_decay"] = value * group.get("decay_mult", 1.0)
            runner.message_hub.update_scalar(f"train/{player}.weight_decay", value)


def _build(player: str, config: Mapping[str, Any]) -> Schedule:
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if kind not in SCHEDULES:
        raise ValueError(
            f"WeightDecayScheduleHook.{player}.kind: {kind!r} is unknown."
            f"{nearest(str(kind), list(SCHEDULES))}"
        )
    try:
        return SCHEDULES[kind](**arguments)
    except TypeError as error:
        raise ValueError(f"WeightDecayScheduleHook.{player}: {error}") from error
