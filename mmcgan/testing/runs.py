"""Checks of hooks, and of anything else, in a run of a few iterations."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mmcgan.config import load_config
from mmcgan.registry import build_runner
from mmcgan.testing.requirements import require

#: made small; each key with what it is set to
SMALL: dict[str, Any] = {
    "model.generator.base_channels": 4,
    "model.discriminator.backbone.base_channels": 4,
    "train_dataloader.batch_size": 4,
    "train_dataloader.num_workers": 0,
    "train_dataloader.persistent_workers": False,
    "train_dataloader.prefetch_factor": None,
    "default_hooks.sample_grid": None,
    "default_hooks.checkpoint.save_best": None,
    "default_hooks.checkpoint.interval": 1,
    "default_hooks.checkpoint.max_keep": None,
    "log_level": "ERROR",
}
WITHOUT: dict[str, Any] = {"val_dataloader": None, "val_evaluator": None, "val_cfg": None}
EVALUATED: dict[str, Any] = {
    "train_cfg.val_interval": 1,
    "val_dataloader.dataset.size": 24,
    "val_dataloader.num_workers": 0,
    "val_dataloader.persistent_workers": False,
    "val_dataloader.prefetch_factor": None,
}


def check_hook(
    hook: Mapping[str, Any],
    config: str = "biggan_digits-16",
    iterations: int = 4,
    evaluated: bool = False,
) -> None:
    """Check a hook: a run with it that goes on from the middle ends as one that never stopped.

    Args:
        hook: its config; takes the place of the config's own one of that type.
        config: of the run, made small.
        iterations: of the run.
        evaluated: keep the config's evaluations, of few images, for a hook that watches a figure.

    Raises:
        CheckError: the weights differ.
    """
    defaults = load_config(config).get("default_hooks") or {}
    place = next((name for name, each in defaults.items() if each and each["type"] == hook["type"]), None)
    options: dict[str, Any] = {**SMALL, **(EVALUATED if evaluated else WITHOUT)}
    if place is None:
        options["custom_hooks"] = [dict(hook)]
    else:
        options.pop(f"default_hooks.{place}", None)
        options |= {f"default_hooks.{place}.{key}": x for key, x in hook.items() if key != "type"}
    check_run(str(hook["type"]), options, config, iterations)


def check_run(
    name: str, options: Mapping[str, Any], config: str = "biggan_digits-16", iterations: int = 4
) -> None:
    """Require that a run goes on from its checkpoint in the middle as if it had never stopped.

    Args:
        name: of what is checked, for the message.
        options: keys of the config with what they are set to.
        config, iterations: see :func:`check_hook`.

    Raises:
        CheckError: the weights differ, or nothing was learnt.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = _weights(options, config, Path(folder) / "whole", iterations)
        middle = next((Path(folder) / "whole").rglob(f"iter_{iterations // 2}.pth"))
        resumed = _weights(options, config, Path(folder) / "rest", iterations, middle)
    for key, value in whole.items():
        good = torch.equal(value, resumed[key])
        require(good, f"{name}: {key} differs between a run that was resumed and one that was not")


def _weights(
    options: Mapping[str, Any], config: str, folder: Path, iterations: int, start: Path | None = None
) -> dict[str, torch.Tensor]:
    loaded = load_config(config, {**options, "train_cfg.max_iters": iterations})
    loaded.work_dir, loaded.resume = str(folder), start is not None
    if start is not None:
        loaded.load_from = str(start)
    loaded.experiment_name = f"check-{folder.name}-{iterations}-{time.monotonic_ns()}"
    started = build_runner(loaded)
    started.train()
    return {key: value.clone() for key, value in started.model.state_dict().items()}
