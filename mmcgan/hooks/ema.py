"""Keeps the generator's moving average up to date."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mmcgan.hooks.schedule import images_per_update
from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.registry import HOOKS


@HOOKS.register_module()
class GeneratorEMAHook(Hook):
    """Averages ``model.generator`` into ``model.generator_ema`` after each generator update.

    One iteration is one generator update; the k-th counts as iteration k, so that ``start=k``
    makes it the first that averages and all before it copy.

    Args:
        decay, start, interval, half_life_images, ramp_up, buffers: see
            :class:`~mmcgan.models.ema.ExponentialMovingAverage`.

    Raises:
        ValueError: a bad setting, or the model was built with ``ema=False``.
    """

    priority = "ABOVE_NORMAL"
    only_once = True
    changes_training = True

    def __init__(
        self,
        decay: float = 0.9999,
        start: int = 0,
        interval: int = 1,
        half_life_images: float | None = None,
        ramp_up: float | None = None,
        buffers: str = "average",
    ) -> None:
        self.rule = ExponentialMovingAverage(
            decay,
            start=start,
            interval=interval,
            half_life_images=half_life_images,
            ramp_up=ramp_up,
            buffers=buffers,
        )

    def before_run(self, runner: Any) -> None:
        """Check that there is an average to keep."""
        if runner.model.generator_ema is None:
            raise ValueError(
                "GeneratorEMAHook needs model.ema=True; set it, or default_hooks.generator_ema=None"
            )

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Move the average."""
        model, images = runner.model, images_per_update(runner)
        self.rule.update(model.generator, model.generator_ema, runner.iter + 1, images)
