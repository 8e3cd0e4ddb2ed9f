"""The life of a data set: checked, previewed, trained on, resumed and evaluated against, by commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.cli import main
from tests.test_engine.tiny_run import differences

CLASSES = ("cat", "dog")
SIZE = 8

TEXT = """
_base_ = ['{{$MMCGAN_CONFIGS:}}/_base_/default_runtime.py']
model = dict(
    type='ConditionalGAN',
    generator=dict(type='DCGANGenerator', base_channels=4, latent_dim=8),
    discriminator=dict(
        backbone=dict(type='DCGANBackbone', base_channels=4, spectral_norm=True),
        heads=dict(adv=dict(type='ProjectionHead')),
    ),
    losses=dict(adversarial=dict(type='HingeLoss')),
    condition_sampler=dict(type='UniformLabel'),
)
train_dataloader = dict(
    batch_size=4, num_workers=WORKERS, dataset=DATASET, sampler=dict(type='SAMPLER'),
    collate_fn=dict(type='gan_collate'),
)
optim_wrapper = dict(
    constructor='GANOptimWrapperConstructor',
    generator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-3)),
)
train_cfg = dict(type='GANTrainLoop', max_iters=4, val_interval=4)
default_hooks = dict(
    generator_ema=dict(decay=0.9, start=0),
    sample_grid=dict(interval=4),
    checkpoint=dict(interval=2, max_keep=None, save_best=None),
)
val_dataloader = dict(
    batch_size=8, num_workers=0, dataset=dict(type='ConditionDataset', size=16),
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='gan_collate'),
)
val_evaluator = dict(
    type='GenerationEvaluator', extractor=dict(type='SmallClassifier', weights='digits-16'),
    metrics=[dict(type='KID', subsets=2, subset_size=4)], reference=dict(dataset=DATASET),
)
val_cfg = dict(type='ValLoop')
test_dataloader, test_evaluator, test_cfg = val_dataloader, val_evaluator, dict(type='TestLoop')
"""


def pictures(count: int = 12, size: int = SIZE) -> list[tuple[str, str, Image.Image]]:
    """Return names, classes and pictures that all differ; their mean level tells which they are."""
    found = []
    for number in range(count):
        levels = np.full((size, size, 3), 10 + 15 * number, np.uint8)
        levels[0, 0] = 255
        found.append((f"{number:03d}.png", CLASSES[number % 2], Image.fromarray(levels)))
    return found


def levels(dataset: Any) -> list[int]:
    """Return the level of every image of a set of :func:`pictures`, which tells them apart."""
    return [int(dataset[row]["image"][0, -1, -1]) for row in range(len(dataset))]


def write_config(
    folder: Path, dataset: dict[str, Any], sampler: str = "InfiniteShuffle", workers: int = 0
) -> Path:
    """Write a config that trains on a data set."""
    text = TEXT.replace("DATASET", repr(dataset)).replace("SAMPLER", sampler).replace("WORKERS", str(workers))
    path = folder / "own.py"
    path.write_text(text, encoding="utf-8")
    return path


def lives(folder: Path, dataset: dict[str, Any], sampler: str = "InfiniteShuffle", workers: int = 0) -> None:
    """Run the commands that a data set goes through, and check that a stopped run ends as a whole one."""
    config = str(write_config(folder, dataset, sampler, workers))
    assert main(["check-config", config]) == 0
    assert main(["preview", config, "--out", str(folder / "seen.png")]) == 0
    assert main(["train", config, "--work-dir", str(folder / "whole")]) == 0
    short = ["--cfg-options", "train_cfg.max_iters=2"]
    assert main(["train", config, "--work-dir", str(folder / "parts"), *short]) == 0
    assert main(["train", config, "--work-dir", str(folder / "parts"), "--resume"]) == 0
    whole, parts = (_weights(folder / name) for name in ("whole", "parts"))
    assert differences(whole, parts) == []
    newest = next((folder / "whole").glob("**/iter_4.pth"))
    assert main(["test", config, str(newest), "--work-dir", str(folder / "judged")]) == 0


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(next(folder.glob("**/iter_4.pth")))["state_dict"]
