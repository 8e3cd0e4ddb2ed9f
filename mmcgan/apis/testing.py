"""Evaluate a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcgan.apis.models import read_weights
from mmcgan.apis.training import default_work_dir
from mmcgan.checkpoints.files import atomic_write
from mmcgan.config import load_config
from mmcgan.distributed import destroy_process_group, initialize_process_group
from mmcgan.registry import RUNNERS

TRAINING_KEYS = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler", "auto_scale_lr")
EVALUATION_PARTS = ("dataloader", "evaluator", "cfg")


def test(
    config: str | Path | Config,
    checkpoint: str | Path,
    work_dir: str | Path | None = None,
    json_out: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Return the figures of ``config``'s test evaluation (its validation, if it has no test).

    Args:
        config: path or name, or a loaded config.
        checkpoint: ``.pth`` of a run, or exported ``.safetensors``.
        work_dir: where logs go; ``work_dirs/<config name>/test`` by default.
        json_out: also write the figures, and what they were computed with, to this file.
        options: values by dotted path, applied to a path or name.

    Raises:
        ConfigError: the config cannot work.
        FileNotFoundError: no such checkpoint.
        ValueError: the config has no evaluation, or the weights do not fit.
    """
    cfg = config if isinstance(config, Config) else load_config(config, options)
    checkpoint = Path(checkpoint)
    if not checkpoint.is_file():
        raise FileNotFoundError(f"no checkpoint {checkpoint}")
    evaluation_only(cfg)
    cfg.work_dir = str(work_dir or default_work_dir(cfg) / "test")
    created = initialize_process_group()
    try:
        runner = RUNNERS.require(cfg.get("runner_type", "GANRunner")).from_cfg(cfg)  # type: ignore[attr-defined]
        _load(runner, checkpoint)
        metrics = {name: float(value) for name, value in runner.test().items()}
        if json_out is not None and runner.rank == 0:
            write_json(Path(json_out), cfg, checkpoint, metrics, runner.test_evaluator)
        return metrics
    finally:
        if created:
            destroy_process_group()


def evaluation_only(cfg: Config) -> None:
    """Keep what a test needs; a config without a test uses its validation.

    Raises:
        ValueError: there is neither.
    """
    phase = "test" if cfg.get("test_dataloader") else "val"
    if not cfg.get(f"{phase}_dataloader"):
        raise ValueError(f"{cfg.filename} has neither test_dataloader nor val_dataloader to evaluate with")
    for part in EVALUATION_PARTS:
        cfg[f"test_{part}"] = cfg.get(f"{phase}_{part}")
        cfg[f"val_{part}"] = None
    cfg.test_cfg = {**(cfg.test_cfg or {}), "type": "TestLoop"}
    for key in TRAINING_KEYS:
        cfg[key] = None
    cfg.resume, cfg.load_from = False, None


def _load(runner: Any, checkpoint: Path) -> None:
    """Load the weights that sampling uses: the averaged generator's, where there is one."""
    if checkpoint.suffix != ".safetensors":
        runner.load_checkpoint(checkpoint)
        return
    target = runner.model.generator_ema
    target = runner.model.generator if target is None else target
    try:
        target.load_state_dict(read_weights(checkpoint)[1])
    except RuntimeError as error:
        raise ValueError(f"{checkpoint} does not fit the generator of the config: {error}") from error


def write_json(
    path: Path, cfg: Config, checkpoint: Path, metrics: Mapping[str, float], evaluator: Any
) -> None:
    """Write figures and their circumstances, atomically."""
    report = evaluator.report() if hasattr(evaluator, "report") else None
    content = {"config": Path(cfg.filename).stem, "checkpoint": str(checkpoint), "metrics": dict(metrics)}
    text = json.dumps({**content, "report": report}, indent=2) + "\n"

    def write(file: Any) -> None:
        file.write(text.encode())

    atomic_write(path, write)
