"""Logs what the papers plot about a discriminator: norms, gradients, probabilities, logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor

from mmcgan.datasets.order import gan_collate
from mmcgan.hooks.discriminator_measures import Figures, measure_now
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS, HOOKS

LATEST = "diagnostics"


@HOOKS.register_module()
class DiscriminatorDiagnosticsHook(Hook):
    """Logs feature norms, gradient norms, class probabilities, logits and sample diversity.

    ReACGAN, Fig. 2, and Omni-GAN, Fig. 14; :func:`~mmcgan.hooks.discriminator_measures.measure` says
    what each figure is. Works with every head and loss, in every precision, and does not change the
    training by a bit: draws are its own, buffers are put back, no parameter gets a gradient.

    Figures go to ``scalars.json`` and the other backends as ``diagnostics/<figure>``; draw them with
    ``mmcgan plot``. The last ones are in the message hub's ``diagnostics``.

    Args:
        interval: iterations between measurements; the first iteration is measured too.
        size: real and generated images of one measurement, at most a loader batch.
        validation: config of a dataset that is not trained on, whose images are measured beside.
        seed: of what is drawn.

    Raises:
        ValueError: ``interval`` below 1 or ``size`` below 2.
    """

    priority = "HIGH"
    changes_training = False

    def __init__(
        self,
        interval: int = 100,
        size: int = 64,
        validation: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        if interval < 1 or size < 2:
            raise ValueError(
                "DiscriminatorDiagnosticsHook: interval must be >= 1 and size >= 2, "
                f"got interval={interval}, size={size}"
            )
        self.interval, self.size, self.seed = interval, size, seed
        self.validation = None if validation is None else DATASETS.build(dict(validation))

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Measure if due; the weights are those after this iteration."""
        if not is_due(runner.iter + 1, self.interval):
            return
        further = {} if self.validation is None else {"validation": self._validation_batch(runner)}
        record(runner, measure_now(runner, data_batch, self.size, self.seed, further))

    def _validation_batch(self, runner: Any) -> Mapping[str, Tensor]:
        """Return other images each time, and on each rank."""
        assert self.validation is not None
        count, source = (
            len(self.validation),
            make_generator(self.seed, "validation", runner.iter, runner.rank),
        )
        rows = torch.randint(count, (min(self.size, count),), generator=source).tolist()
        return gan_collate(self.validation.__getitems__(rows))


def is_due(iteration: int, interval: int) -> bool:
    """Return whether ``iteration``, counted from 1, is the first or a multiple of ``interval``."""
    return iteration == 1 or iteration % interval == 0


def record(runner: Any, figures: Figures) -> None:
    """Write ``figures`` of the iteration under way to all backends, and into the message hub."""
    iteration = runner.iter + 1
    runner.message_hub.update_info(LATEST, {"iteration": iteration, **figures})
    scalars = {f"diagnostics/{name}": value for name, value in figures.items()}
    runner.visualizer.add_scalars(scalars, step=iteration)
