"""A real but tiny training run: 8 px networks on scikit-learn's digits."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric

from mmcgan.engine import GANRunner
from mmcgan.registry import METRICS

ADAM = dict(type="Adam", lr=1e-3, betas=(0.0, 0.99))


@METRICS.register_module(force=True)
class MeanLevel(BaseMetric):
    """Stands for an evaluation: one figure, and it disturbs the global generators."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        torch.rand(3)
        self.results += [float(sample["image"].mean()) for sample in data_samples]

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"level_error": abs(sum(results) / len(results))}


def tiny_config(work_dir: Path, removed: Sequence[str] = (), **changes: Any) -> Config:
    """Return a config that trains 6 iterations in under a second.

    Args:
        work_dir: of the run.
        removed: dotted paths that are taken out at last.
        changes: by dotted path, merged in.
    """
    config = Config(
        dict(
            default_scope="mmcgan",
            work_dir=str(work_dir),
            randomness=dict(seed=3),
            model=dict(
                type="ConditionalGAN",
                generator=dict(
                    type="DCGANGenerator", image_size=8, num_classes=10, base_channels=4, latent_dim=8
                ),
                discriminator=dict(
                    backbone=dict(type="DCGANBackbone", image_size=8, base_channels=4, spectral_norm=True),
                    heads=dict(adv=dict(type="ProjectionHead", num_classes=10)),
                ),
                losses=dict(adversarial=dict(type="HingeLoss")),
                condition_sampler=dict(type="UniformLabel", num_classes=10),
            ),
            train_dataloader=dict(
                batch_size=8,
                num_workers=0,
                dataset=dict(type="DigitsDataset", split="train", image_size=8),
                sampler=dict(type="InfiniteShuffle"),
                collate_fn=dict(type="gan_collate"),
            ),
            optim_wrapper=dict(
                constructor="GANOptimWrapperConstructor",
                generator=dict(optimizer=ADAM),
                discriminator=dict(optimizer=ADAM),
            ),
            train_cfg=dict(type="GANTrainLoop", max_iters=6, val_interval=3),
            default_hooks=dict(
                logger=dict(type="LoggerHook", interval=2, log_metric_by_epoch=False),
                generator_ema=dict(type="GeneratorEMAHook", decay=0.9),
                finite_guard=dict(type="FiniteGuardHook"),
                checkpoint=dict(type="GANCheckpointHook", interval=3, max_keep=None),
            ),
        )
    )
    config.merge_from_dict(deepcopy(changes))  # building a run and merging options change what they are given
    for path in removed:
        *parents, name = path.split(".")
        holder: Any = config
        for parent in parents:
            holder = holder[parent]
        holder.pop(name)
    return config


EVALUATION = dict(
    val_dataloader=dict(
        batch_size=4,
        num_workers=0,
        dataset=dict(type="ConditionDataset", size=8, num_classes=10, latent_dim=8),
        sampler=dict(type="DefaultSampler", shuffle=False),
        collate_fn=dict(type="gan_collate"),
    ),
    val_evaluator=dict(type="MeanLevel"),
    val_cfg=dict(type="ValLoop"),
)


def train(work_dir: Path, removed: Sequence[str] = (), **changes: Any) -> GANRunner:
    """Train the tiny config and return the runner."""
    runner = GANRunner.from_cfg(tiny_config(work_dir, removed, **changes))
    runner.train()
    return runner


def differences(first: Any, second: Any, where: str = "") -> list[str]:
    """Return the paths at which two nested structures of tensors and values are not bitwise equal."""
    if isinstance(first, dict) and isinstance(second, dict):
        keys = [*first, *(key for key in second if key not in first)]
        return [d for k in keys for d in differences(first.get(k), second.get(k), f"{where}/{k}")]
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)) and len(first) == len(second):
        pairs = zip(first, second, strict=True)
        return [d for i, (a, b) in enumerate(pairs) for d in differences(a, b, f"{where}/{i}")]
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return [] if torch.equal(first, second) else [where]
    return [] if first == second else [where]
