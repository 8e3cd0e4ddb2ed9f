"""Checks of hooks, in a run of a few iterations."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mmcgan.config import load_config
from mmcgan.registry import RUNNERS
from mmcgan.testing.requirements import require

#: made small, without evaluation; each key with what it is set to
SMALL: dict[str, Any] = {
    "model.generator.base_channels": 4,
    "model.discriminator.backbone.base_channels": 4,
    "train_dataloader.batch_size": 4,
    "train_dataloader.num_workers": 0,
    "train_dataloader.persistent_workers": False,
    "train_dataloader.prefetch_factor": None,
    "val_dataloader": None,
    "val_evaluator": None,
    "val_cfg": None,
    "default_hooks.sample_grid": None,
    "default_hooks.checkpoint.save_best": None,
    "default_hooks.checkpoint.interval": 1,
    "log_level": "ERROR",
}


def check_hook(hook: Mapping[str, Any], config: str = "biggan_digits-16", iterations: int = 4) -> None:
    """Check a hook: a run with it that is stopped half-way and resumed ends as one that never stopped.

    Args:
        hook: its config.
        config: of the run, made small.
        iterations: of the run.

    Raises:
        CheckError: the weights differ.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = _weights(hook, config, Path(folder) / "whole", iterations)
        _weights(hook, config, Path(folder) / "cut", iterations // 2)
        resumed = _weights(hook, config, Path(folder) / "cut", iterations, resume=True)
    for key, value in whole.items():
        good = torch.equal(value, resumed[key])
        require(good, f"{hook['type']}: {key} differs between a run that was resumed and one that was not")


def _weights(
    hook: Mapping[str, Any], config: str, folder: Path, iterations: int, resume: bool = False
) -> dict[str, torch.Tensor]:
    loaded = load_config(config, {**SMALL, "custom_hooks": [dict(hook)], "train_cfg.max_iters": iterations})
    loaded.work_dir, loaded.resume = str(folder), resume
    loaded.experiment_name = f"check-hook-{folder.name}-{iterations}-{resume}"
    runner: Any = RUNNERS.require(loaded.get("runner_type", "GANRunner"))
    started = runner.from_cfg(loaded)
    started.train()
    return {key: value.clone() for key, value in started.model.state_dict().items()}
