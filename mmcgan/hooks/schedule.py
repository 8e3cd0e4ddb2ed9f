"""Any number of a run as a schedule: learning rates, betas, penalties, averages, augmentation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mmengine.hooks import Hook
from torch import Tensor

from mmcgan.hooks.schedules import Schedule, build_schedule, ends_with_training
from mmcgan.optim.players import PLAYERS
from mmcgan.registry import HOOKS
from mmcgan.suggestions import nearest

#: Fields of an optimiser's parameter groups, and how a value is written into them. Groups of checkpoints that
#: were written before groups kept ``lr_mult`` go on as they were trained, with one rate for all.
OPTIMIZER_FIELDS: dict[str, Callable[[dict[str, Any], float], None]] = {
    "lr": lambda group, value: group.update(lr=value * group.get("lr_mult", 1.0)),
    "beta1": lambda group, value: group.update(betas=(value, group["betas"][1])),
    "beta2": lambda group, value: group.update(betas=(group["betas"][0], value)),
    "momentum": lambda group, value: group.update(momentum=value),
    "weight_decay": lambda group, value: group.update(weight_decay=value * group.get("decay_mult", 1.0)),
}
UNITS = ("iterations", "images")
Setter = Callable[[float], None]


@HOOKS.register_module()
class ScheduleHook(Hook):
    """Sets numbers of the run before every iteration, as functions of its progress.

    What is set is named by a path:

    * ``optimizer.generator.lr``, ``optimizer.discriminator.beta2``, …: a field of a player's optimiser
      (``lr``, ``beta1``, ``beta2``, ``momentum``, ``weight_decay``), in the place of a ``param_scheduler``;
      ``lr_mult`` and ``decay_mult`` of the optimiser's rules multiply the rate and the decay;
    * ``regularizers.r1.weight``, ``augment.probability.p``, …: a number or one-element tensor of the model;
    * ``generator_ema.half_life_images``, ``generator_ema.decay``: of the moving average.

    A function of the iteration alone, so that a resumed run needs no state. R3GAN's schedules are cosines in
    images::

        dict(type="ScheduleHook", unit="images", values={
            "optimizer.generator.lr": dict(kind="cosine", start=2e-4, end=5e-5, until=20_000_000), ...})

    Args:
        values: by path, a dict with ``kind`` and its arguments (:mod:`mmcgan.hooks.schedules`); ``until`` is
            the end of training if not given.
        unit: what ``begin``, ``until`` and ``milestones`` count: ``iterations`` done, or real ``images`` that
            the iterations before showed (one mini-batch of the discriminator's for each of its updates).

    Raises:
        ValueError: an unknown kind, unit, or path, or arguments that the kind does not take.
    """

    priority = "HIGH"
    changes_training = True

    def __init__(self, values: Mapping[str, Mapping[str, Any]], unit: str = "iterations") -> None:
        if unit not in UNITS:
            raise ValueError(f"ScheduleHook.unit must be one of {list(UNITS)}, got {unit!r}")
        self.unit = unit
        for path, config in values.items():
            _check_values(path, config)
        self.schedules: dict[str, Schedule] = {
            path: build_schedule(f"ScheduleHook.values[{path!r}]", config) for path, config in values.items()
        }
        self._setters: dict[str, Setter] = {}

    @classmethod
    def follows_the_end(cls, settings: Mapping[str, Any]) -> bool:
        """Return whether some value goes on to the end of training, wherever that is."""
        return any(map(ends_with_training, (settings.get("values") or {}).values()))

    def writes_setting(self, player: str, setting: str) -> bool:
        """Return whether a schedule writes this setting of a player's optimiser."""
        return f"optimizer.{player}.{setting}" in self.schedules

    def before_train(self, runner: Any) -> None:
        """Find what the paths name."""
        self._setters = {path: find_setter(runner, path) for path in self.schedules}

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Set the values of this iteration and log them."""
        scale = images_per_update(runner) if self.unit == "images" else 1
        for path, schedule in self.schedules.items():
            value = schedule(runner.iter * scale, runner.max_iters * scale)
            self._setters[path](value)
            runner.message_hub.update_scalar(f"train/{path}", value)


#: By the last name of a path, the smallest number that it may be and the one that it must stay below.
LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("lr", "weight_decay", "half_life_images"), (0.0, math.inf)),
    **dict.fromkeys(("beta1", "beta2"), (0.0, 1.0)),
    **dict.fromkeys(("momentum", "decay", "p", "condition_weight"), (0.0, math.nextafter(1.0, 2.0))),
}


def _check_values(path: str, config: Any) -> None:
    """Raise ValueError if a schedule would set a number to what it cannot be."""
    root, _, rest = path.partition(".")
    if root == "optimizer":
        check_field(path, rest)
    least, below = LIMITS.get(path.rpartition(".")[2], (-math.inf, math.inf))
    if root == "regularizers":  # a penalty that is paid for being small
        least = 0.0
    for name in ("value", "start", "end", "warmup_start"):
        number = config.get(name) if isinstance(config, Mapping) else None
        if isinstance(number, int | float) and not least <= number < below:
            raise ValueError(f"ScheduleHook.values[{path!r}].{name}: {path} cannot be {number!r}")


def images_per_update(runner: Any) -> float:
    """Return the real images of all ranks that one discriminator update sees."""
    step = runner.model.step
    mini_batch = runner.train_loop.images_per_iteration / step.real_mini_batches
    return mini_batch * step.n_critic * step.d_accumulation


def find_setter(runner: Any, path: str) -> Setter:
    """Return what writes a value to where ``path`` points.

    Raises:
        ValueError: it points to nothing, or to no number; the message lists what is there.
    """
    root, _, rest = path.partition(".")
    if root == "optimizer":
        return _optimizer_setter(runner, path, rest)
    if root == "generator_ema":
        from mmcgan.hooks.ema import GeneratorEMAHook  # made of this module

        rules = [hook.rule for hook in runner.hooks if isinstance(hook, GeneratorEMAHook)]
        if not rules:
            raise ValueError(f"ScheduleHook: {path!r} needs the hook GeneratorEMAHook")
        return attribute_setter(rules[0], path, rest)
    return attribute_setter(runner.model, path, path)


def check_field(path: str, rest: str) -> tuple[str, str]:
    """Return the player and the field of its optimiser that a path names.

    Raises:
        ValueError: there is no such player or field.
    """
    player, _, field = rest.partition(".")
    if player not in PLAYERS or field not in OPTIMIZER_FIELDS:
        known = [f"optimizer.{each}.{name}" for each in PLAYERS for name in OPTIMIZER_FIELDS]
        raise ValueError(f"ScheduleHook: no value {path!r}.{nearest(path, known)}")
    return player, field


def _optimizer_setter(runner: Any, path: str, rest: str) -> Setter:
    player, field = check_field(path, rest)
    optimizer = runner.optim_wrapper[player].optimizer
    wanted = "betas" if field.startswith("beta") else field
    if wanted not in optimizer.param_groups[0]:
        raise ValueError(f"ScheduleHook: {path!r}: {type(optimizer).__name__} has no {wanted}")

    def write(value: float) -> None:
        # asked for every time: an optimiser that loads a state has other groups from then on
        for group in optimizer.param_groups:
            OPTIMIZER_FIELDS[field](group, value)

    return write


def attribute_setter(start: Any, path: str, rest: str) -> Setter:
    """Return what sets the value that ``rest`` names, seen from ``start``; ``path`` is for messages."""
    *parents, name = rest.split(".")
    owner = start
    for each in parents:
        owner = _member(owner, each, path)
    current = _member(owner, name, path)
    if isinstance(current, Tensor) and current.numel() == 1:
        return partial(_fill, current)
    if current is not None and (isinstance(current, bool) or not isinstance(current, int | float)):
        raise ValueError(f"ScheduleHook: {path!r} is no number but {type(current).__name__}")
    return lambda value: setattr(owner, name, value)


def _fill(target: Tensor, value: float) -> None:
    target.data.fill_(value)


def _member(owner: Any, name: str, path: str) -> Any:
    if isinstance(owner, Mapping):
        if name in owner:
            return owner[name]
        raise ValueError(f"ScheduleHook: no value {path!r}.{nearest(name, list(owner))}")
    if isinstance(owner, list | tuple) and name.isdecimal():
        if int(name) < len(owner):
            return owner[int(name)]
        raise ValueError(f"ScheduleHook: no value {path!r}: there are {len(owner)} entries, counted from 0")
    if not hasattr(owner, name):
        raise ValueError(f"ScheduleHook: no value {path!r}: {type(owner).__name__} has no {name!r}")
    return getattr(owner, name)
