"""The latents that an evaluation draws: of the law that weights state, at the width asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.config.components import parameters_of
from mmcgan.evaluation.report.sweep import Sweep
from mmcgan.registry import DATASETS
from mmcgan.samplers.default_law import latent_law
from mmcgan.samplers.latent import check_truncation
from mmcgan.samplers.scaled import scaled
from mmcgan.zoo.latent_law import law_beside, law_of_run, require_law
from mmcgan.zoo.models import read_weights


def follow_law(cfg: Config, checkpoint: Path, sweep: Sweep) -> None:
    """Let the config draw latents as wide as exported weights state, or as the one scale that is asked for.

    The weights are read before a folder is made for their figures: a file that cannot be used leaves none.

    Raises:
        CheckpointError, ValueError: a file that cannot be read, weights of another law than the config's, or
            evaluation conditions that take no law.
    """
    here = cfg.model.get("latent_sampler")
    stated: Mapping[str, Any] | None
    if checkpoint.suffix == ".safetensors":
        record, _ = read_weights(checkpoint)
        stated = None if record is None else record.latent_sampler
        law = law_beside(stated, here)
    else:
        content: Any = load_checkpoint(checkpoint)
        stated = law_of_run(content.get("meta") or {}) if isinstance(content, Mapping) else None
        law = latent_law(here)
    require_law(stated, law, str(checkpoint))
    if len(sweep.latent_scales) == 1:
        law = scaled(law, sweep.latent_scales[0])
    if law == latent_law(here):
        return
    dataset = cfg.test_dataloader["dataset"]
    if not _takes(dataset, "latent_sampler"):
        raise ValueError(f"test_dataloader.dataset: {dataset['type']} does not draw latents by {law}")
    cfg.model["latent_sampler"] = law
    dataset["latent_sampler"] = law


def _takes(dataset: Mapping[str, Any], name: str) -> bool:
    """Return whether evaluation conditions have a setting; a class that takes anything may."""
    return name in (parameters_of(DATASETS.require(dataset["type"])) or {name})


def check_sweep(sweep: Sweep, model: Any, narrow: bool, dataset: Mapping[str, Any]) -> None:
    """Refuse a truncation or a scale now that an evaluation would refuse after those before it."""
    asked = [truncation for truncation in sweep.truncations if truncation is not None]
    if any(sweep.latent_scales) and not _takes(dataset, "latent_sampler"):
        raise ValueError(f"test_dataloader.dataset: {dataset['type']} cannot scale latents")
    if not narrow or not asked:
        return
    for truncation in asked:
        check_truncation(model.latent_sampler, truncation)
    if not _takes(dataset, "truncation"):
        raise ValueError(f"test_dataloader.dataset: {dataset['type']} cannot truncate latents")
