"""A small correct config, to be broken by tests."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

TEXT = """
default_scope = "mmcgan"
runner_type = "GANRunner"
randomness = dict(seed=0)
train_dataloader = dict(
    batch_size=8,
    dataset=dict(type="DigitsDataset", split="train", image_size=16),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
val_dataloader = dict(
    batch_size=10,
    dataset=dict(type="ConditionDataset", size=20),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="gan_collate"),
)
val_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="SmallClassifier", weights="digits-16"),
    metrics=[dict(type="ConditionalAccuracy")],
)
val_cfg = dict(type="ValLoop")
model = dict(
    type="ConditionalGAN",
    generator=dict(type="DCGANGenerator", base_channels=4, latent_dim=8),
    discriminator=dict(
        backbone=dict(type="DCGANBackbone", base_channels=4),
        heads=dict(adv=dict(type="ProjectionHead"), cls=dict(type="ClassifierHead")),
    ),
    losses=dict(
        adversarial=dict(type="HingeLoss", inputs=dict(logit="adv.logit")),
        classes=dict(type="CrossEntropyLoss", inputs=dict(logits="cls.logits", label="cond.label")),
    ),
    condition_sampler=dict(type="UniformLabel"),
    step=dict(n_critic=2),
)
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    generator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.999))),
    discriminator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.999))),
)
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=1),
    sample_grid=dict(type="SampleGridHook", interval=100, rows=2),
    checkpoint=dict(type="GANCheckpointHook", interval=100),
)
train_cfg = dict(type="GANTrainLoop", max_iters=2, val_interval=2)
"""


def example() -> ConfigDict:
    """Return a fresh copy of the example's content."""
    return copy.deepcopy(Config.fromstring(TEXT, ".py")._cfg_dict)


def write_example(folder: Path, extra: str = "") -> Path:
    """Write the example, with ``extra`` lines, as a config file."""
    path = folder / "example.py"
    path.write_text(TEXT + extra)
    return path


def put(config: Any, path: str, value: Any) -> None:
    """Set ``value`` at the dotted ``path``."""
    *parents, last = path.split(".")
    for key in parents:
        config = config[int(key)] if key.isdigit() else config[key]
    config[last] = value
