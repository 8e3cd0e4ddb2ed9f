"""Back to the best weights, on with a changed setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcgan.contracts import declared
from mmcgan.suggestions import nearest

Settings = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class RollBack:
    """What changes when a training goes back to its best checkpoint.

    Attributes:
        multiply: player -> setting of its optimiser -> factor, again at each roll-back, such as
            ``dict(discriminator=dict(lr=0.5))``.
        set: player -> setting -> value, for settings that may be 0, such as ``weight_decay``.
        times: roll-backs of one training; after these a collapse stops it.

    Raises:
        ValueError: nothing changes, or a value is out of range.
    """

    multiply: Settings = field(default_factory=dict)
    set: Settings = field(default_factory=dict)
    times: int = 2

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError(f"CollapseGuardHook: roll_back.times must be at least 1, got {self.times}")
        if not any(self.multiply.values()) and not any(self.set.values()):
            raise ValueError(
                "CollapseGuardHook: roll_back changes nothing, so the training would go the same way; "
                "give e.g. roll_back=dict(multiply=dict(discriminator=dict(lr=0.5)))"
            )
        if any("lr" in settings for settings in self.set.values()):
            raise ValueError("CollapseGuardHook: roll_back.set.*.lr: a learning rate is changed by multiply")
        for player, settings in self.multiply.items():
            for name, factor in settings.items():
                if factor <= 0:
                    where = f"CollapseGuardHook: roll_back.multiply.{player}.{name}"
                    raise ValueError(f"{where} must be positive, got {factor}")

    def check(self, runner: Any) -> None:
        """Raise ValueError if one of the settings does not exist, or would not change."""
        players = dict(runner.optim_wrapper.items())
        asked = [(kind, *item) for kind in ("multiply", "set") for item in getattr(self, kind).items()]
        for kind, player, settings in asked:
            where = f"CollapseGuardHook: roll_back.{kind}.{player}"
            if player not in players:
                raise ValueError(f"{where}: no such player.{nearest(player, list(players))}")
            for name in settings:
                _check_setting(f"{where}.{name}", name, players[player].optimizer, kind)
                writer = next((hook for hook in runner.hooks if _writes(hook, player, name)), None)
                if writer is not None:
                    raise ValueError(f"{where}.{name}: {type(writer).__name__} would overwrite it")

    def change(self, runner: Any) -> list[str]:
        """Change the settings in all parameter groups and schedules; return "what: old -> new"."""
        told = []
        for player, settings in self.multiply.items():
            for name, factor in settings.items():
                groups = runner.optim_wrapper[player].optimizer.param_groups
                told.append(_multiply(player, groups, name, factor))
                _multiply_schedules(runner.param_schedulers, player, name, factor)
        for player, settings in self.set.items():
            for name, value in settings.items():
                told.append(_set(player, runner.optim_wrapper[player].optimizer.param_groups, name, value))
        return told


def _writes(hook: Any, player: str, setting: str) -> bool:
    """Return whether a hook says that it writes a setting, which a change would not outlive."""
    says = declared(hook, "writes_setting")
    return says is not None and bool(says(player, setting))


def _check_setting(where: str, name: str, optimizer: Any, kind: str) -> None:
    groups = optimizer.param_groups
    # the multipliers of rules and what schedules start from lie in the groups too, and are no settings
    known = [
        key for key, value in groups[0].items() if isinstance(value, float) and key in optimizer.defaults
    ]
    if name not in known:
        raise ValueError(f"{where}: the optimiser has no such setting.{nearest(name, known)}")
    if kind == "multiply" and all(group[name] == 0 for group in groups):
        raise ValueError(f"{where}: it is 0, which no factor changes; use roll_back.set")


def _multiply(player: str, groups: list[dict[str, Any]], name: str, factor: float) -> str:
    before = groups[0][name]
    for group in groups:
        for key in (name, f"initial_{name}"):
            if key in group:
                group[key] *= factor
    return f"{player}.{name} {before:g} -> {groups[0][name]:g}"


def _multiply_schedules(schedulers: Any, player: str, name: str, factor: float) -> None:
    """Scale what closed-form schedules start from; the others go on from the present value."""
    own = schedulers.get(player, []) if isinstance(schedulers, dict) else schedulers or []
    for scheduler in own:
        if scheduler.param_name == name:
            scheduler.base_values = [value * factor for value in scheduler.base_values]


def _set(player: str, groups: list[dict[str, Any]], name: str, value: float) -> str:
    before = groups[0][name]
    for group in groups:
        group[name] = value * (group.get("decay_mult", 1.0) if name == "weight_decay" else 1.0)
    return f"{player}.{name} {before:g} -> {groups[0][name]:g}"


def restore_weights(runner: Any, path: Path) -> int:
    """Load networks, averages and optimiser moments of ``path``; return the iteration it is of.

    The iteration, the data, the random streams, the schedules and the settings of the optimisers
    stay where they are: the run goes forward, and reads images it has not seen in this order.
    All ranks must call it.
    """
    checkpoint = runner.load_checkpoint(path)
    runner.model.random.start(runner.iter)
    for player, wrapper in runner.optim_wrapper.items():
        settings = [{k: v for k, v in g.items() if k != "params"} for g in wrapper.optimizer.param_groups]
        wrapper.load_state_dict(checkpoint["optimizer"][player])
        for group, kept in zip(wrapper.optimizer.param_groups, settings, strict=True):
            group.update(kept)
    return int(checkpoint["meta"]["iter"])
