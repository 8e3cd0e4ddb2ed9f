"""Weight decay that changes in the course of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook

from mmcgan.hooks.schedules import build_schedule, ends_with_training
from mmcgan.optim.players import PLAYERS
from mmcgan.registry import HOOKS


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
    changes_training = True

    def __init__(
        self, generator: Mapping[str, Any] | None = None, discriminator: Mapping[str, Any] | None = None
    ) -> None:
        configs = {"generator": generator, "discriminator": discriminator}
        self.schedules = {
            player: build_schedule(f"WeightDecayScheduleHook.{player}", c)
            for player, c in configs.items()
            if c is not None
        }

    @classmethod
    def follows_the_end(cls, settings: Mapping[str, Any]) -> bool:
        """Return whether some decay goes on to the end of training, wherever that is."""
        return any(ends_with_training(settings[player]) for player in PLAYERS if settings.get(player))

    def writes_setting(self, player: str, setting: str) -> bool:
        """Return whether a schedule writes this setting of a player's optimiser."""
        return setting == "weight_decay" and player in self.schedules

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Set the values of this iteration and log them."""
        for player, schedule in self.schedules.items():
            value = schedule(runner.iter, runner.max_iters)
            for group in runner.optim_wrapper[player].optimizer.param_groups:
                group["weight_decay"] = value * group.get("decay_mult", 1.0)
            runner.message_hub.update_scalar(f"train/{player}.weight_decay", value)
