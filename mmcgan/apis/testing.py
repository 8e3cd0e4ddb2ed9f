"""Evaluate a checkpoint: once, or over seeds and truncations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmcgan.apis.evaluated_latents import check_sweep, follow_law
from mmcgan.apis.training import default_work_dir, timeout_of
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.distributed import destroy_process_group, initialize_process_group
from mmcgan.evaluation.report.report import environment, write_json
from mmcgan.evaluation.report.sweep import Request, Sweep, run_sweep
from mmcgan.evaluation.statistics.batch_statistics import evaluation_statistics
from mmcgan.models.generators.base import Generator
from mmcgan.models.sampling import SamplingModel, set_truncation_centre
from mmcgan.registry import build_runner
from mmcgan.structures import Condition
from mmcgan.weights import read_index, weight_path
from mmcgan.zoo.gone_components import load_config_beside
from mmcgan.zoo.models import read_weights
from mmcgan.zoo.stored_instances import require_classes, without_instances

TRAINING_KEYS = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler", "auto_scale_lr")
EVALUATION_PARTS = ("dataloader", "evaluator", "cfg")


def test(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    work_dir: str | Path | None = None,
    json_out: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Return the figures of ``config``'s test evaluation (its validation, if it has no test).

    Args:
        config: path or name, or a loaded config.
        checkpoint: ``.pth`` of a run, or exported ``.safetensors``; None takes the shipped weights of the
            config's name.
        work_dir: where logs go; ``work_dirs/<config name>/test`` by default.
        json_out: also write the figures, and what they were computed with, to this file.
        options: values by dotted path, applied to a path or name.

    Raises:
        ConfigError: the config cannot work.
        FileNotFoundError: no such checkpoint.
        ValueError: the config has no evaluation, or the weights do not fit.
    """
    cfg = config if isinstance(config, Config) else load_config_beside(config, options, checkpoint)
    evaluation_only(cfg)
    report = evaluate(cfg, checkpoint, work_dir, Sweep())
    if json_out is not None and report["main_process"]:
        write_json(json_out, {"metrics": report["sweep"][0]["runs"][0], **report})
    figures: dict[str, float] = report["sweep"][0]["runs"][0]
    return figures


def evaluate(
    cfg: Config, checkpoint: str | Path | None, work_dir: str | Path | None, sweep: Sweep
) -> dict[str, Any]:
    """Return the report of evaluating a checkpoint under every request of ``sweep``.

    Images are generated and extracted once per request, for all metrics together.

    Args:
        cfg: from :func:`evaluation_only`.
        checkpoint, work_dir: as in :func:`test`.
        sweep: seeds, truncations and batch statistics.

    Raises:
        FileNotFoundError: no such checkpoint.
        ValueError: the weights do not fit, or a metric cannot be computed.
    """
    path = find_checkpoint(cfg, checkpoint)
    follow_law(cfg, path, sweep)
    cfg.work_dir = str(work_dir or default_work_dir(cfg) / "test")
    created = initialize_process_group(timeout_of(cfg))
    try:
        runner = build_runner(cfg)
        classes = _load(runner, path)
        if sweep.centre is not None:
            set_truncation_centre(_sampled(runner.model), sweep.centre, str(path))
        narrow = _sampled(runner.model).truncates_latent
        check_sweep(sweep, runner.model, narrow, cfg.test_dataloader["dataset"])
        requests = list(sweep.requests(cfg.test_dataloader["dataset"], narrow))
        with evaluation_statistics(_sampled(runner.model), sweep.statistics, _draw_for(runner.model)):
            entries = run_sweep(requests, lambda request: _evaluate_once(runner, cfg, request, classes))
        return {
            "config": Path(cfg.filename).stem,
            "checkpoint": str(path),
            "checkpoint_sha256": file_hash(path),
            "network": _network_of(runner.model, path),
            "truncation_centre": sweep.centre,
            "batch_statistics": sweep.statistics.describe(),
            "packages": environment(),
            "main_process": runner.rank == 0,
            "sweep": entries,
        }
    finally:
        if created:
            destroy_process_group()


def _evaluate_once(
    runner: Any, cfg: Config, request: Request, classes: tuple[str, ...]
) -> tuple[dict[str, float], Any]:
    loop = runner.test_loop
    runner.model.truncation = request.truncation
    loader = runner.build_dataloader({**cfg.test_dataloader, "dataset": request.dataset}, seed=runner.seed)
    asked = loader.dataset.metainfo
    if asked.get("num_classes"):
        require_classes(loader.dataset.condition_sampler, classes)
    if asked.get("num_classes") == len(classes):
        asked = {"classes": classes, **asked}
    loop.dataloader, loop.evaluator.dataset_meta = loader, asked
    figures = {name: float(value) for name, value in runner.test().items()}
    return figures, loop.evaluator.report() if hasattr(loop.evaluator, "report") else None


def _sampled(model: SamplingModel) -> Generator:
    """Return the network that evaluations sample from."""
    return model.generator if model.generator_ema is None else model.generator_ema


def _network_of(model: SamplingModel, checkpoint: Path) -> str:
    """Say which generator was evaluated: the one that every way of sampling takes from that file."""
    if checkpoint.suffix == ".safetensors":
        return "generator of the file"
    return "generator" if model.generator_ema is None else "averaged generator"


def _draw_for(model: Any) -> Any:
    """Return what draws latents and conditions as in training, on the model's device."""

    def draw(size: int, generator: torch.Generator) -> tuple[Tensor, Condition]:
        condition = model.condition_sampler.sample(size, generator)
        return model.latent_sampler.sample(size, generator).to(model.device), condition.to(model.device)

    return draw


def find_checkpoint(cfg: Config, checkpoint: str | Path | None) -> Path:
    """Return the file of weights; without one, those that ship under the config's name.

    Raises:
        FileNotFoundError: no such file, or nothing ships under that name.
    """
    if checkpoint is None:
        name = Path(cfg.filename).stem
        if name not in read_index("generator"):
            shipped = ", ".join(read_index("generator")) or "none"
            raise FileNotFoundError(f"no weights ship for {name}: give a checkpoint. Shipped: {shipped}")
        return weight_path(name, "generator")
    path = Path(checkpoint)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint {path}")
    return path


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


def _load(runner: Any, checkpoint: Path) -> tuple[str, ...]:
    """Load the weights that sampling uses, the averaged generator's where there is one.

    Returns the names of the classes that it was trained on, nothing if they are not known.
    """
    if checkpoint.suffix != ".safetensors":
        meta = runner.load_checkpoint(checkpoint).get("meta") or {}
        facts = meta.get("dataset_meta")
        names = facts.get("classes") if isinstance(facts, Mapping) else None
        return tuple(map(str, names)) if isinstance(names, list | tuple) else ()
    if runner.model.latent_move is not None:
        raise ValueError(
            f"{checkpoint} holds a generator alone, but model.latent_move needs the discriminator: give the "
            ".pth checkpoint of the run, or set model.latent_move=None"
        )
    target = runner.model.generator_ema
    target = runner.model.generator if target is None else target
    try:
        record, weights = read_weights(checkpoint)
        target.load_state_dict(without_instances(weights))
    except RuntimeError as error:
        raise ValueError(f"{checkpoint} does not fit the generator of the config: {error}") from error
    if record is None:
        return ()
    return tuple(record.classes or ())
