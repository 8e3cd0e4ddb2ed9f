"""Who fits overlapping classes? A 1-D mixture of Gaussians (ReACGAN, Appendix E and Fig. A4).

Three classes, equally likely: N(0, 1), N(3, 2^2), N(6, 3^2), after Gong et al. (2019), who overlap Gaussians
the same way. Methods train from the heads and losses of their configs; the networks, the data and their scale
are those of :mod:`mmcgan.claims.measures.mixture_parts`. An "image" is one number, (N, 1, 1, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmcgan.claims.measures.mixture_parts import CENTRE, CLASSES, SCALE, register_parts, truth
from mmcgan.claims.run import Run
from mmcgan.random import make_generator
from mmcgan.structures import Condition

SAMPLES = 20000
EDGES = torch.linspace(-6, 18, 121)
BATCH = 256


def fitted(run: Run, method: str) -> dict[str, float]:
    """Return how far a method's classes and mixture are from the truth after the run's iterations.

    Of 20,000 samples a class of the averaged generator. ``variation``: total variation (half the L1 distance
    of histograms, 0 to 1), mean of the classes; ``wasserstein``: Wasserstein-1 in units of x, mean of the
    classes; ``mixture_variation`` and ``mixture_wasserstein``: of all classes together.

    Args:
        run: of an experiment; an interrupted training goes on.
        method: the part of the name of its config for digits before ``_biggan_digits-16``.
    """
    found = distances(sample(train(method, run.iterations, run.seed, run.folder / method)))
    return {
        "variation": mean(found["total_variation"][:CLASSES]),
        "wasserstein": mean(found["wasserstein"][:CLASSES]),
        "mixture_variation": found["total_variation"][-1],
        "mixture_wasserstein": found["wasserstein"][-1],
    }


def train(method: str, iterations: int, seed: int, work_dir: Path) -> Any:
    """Return the model that a method has trained in ``work_dir``, where an interrupted training goes on."""
    from mmcgan.checkpoints.files import list_checkpoints
    from mmcgan.engine import GANRunner

    config = make_config(method, iterations, seed, work_dir)
    config.resume = bool(list_checkpoints(work_dir))
    return GANRunner.from_cfg(config).train()


def make_config(method: str, iterations: int, seed: int, work_dir: Path) -> Config:
    """Return the method's config for digits with other networks and data.

    Raises:
        ValueError: it does not fit them.
    """
    from mmcgan.config import find_config
    from mmcgan.config.load import prepare_config, read_config

    register_parts()
    config = read_config(find_config(f"{method}_biggan_digits-16"))
    config.merge_from_dict(_changes(config, iterations, seed, work_dir))
    for key in [key for key in config if key.startswith(("val_", "test_"))]:
        config.pop(key)
    problems = prepare_config(config, {})
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return config


def _changes(config: Config, iterations: int, seed: int, work_dir: Path) -> dict[str, Any]:
    optimizer = dict(_delete_=True, type="Adam", lr=1e-3, betas=(0.0, 0.99))
    plain = {name: dict(spectral_norm=None) for name in config.model.discriminator.heads}
    keep = max(iterations // 4, 1)
    return {
        "work_dir": str(work_dir),
        "randomness.seed": seed,
        "log_level": "WARNING",
        "model.generator": dict(_delete_=True, type="NumberGenerator"),
        "model.discriminator.backbone": dict(_delete_=True, type="NumberBackbone"),
        "model.discriminator.heads": plain,
        "model.data_preprocessor": dict(_delete_=True, type="NumberPreprocessor"),
        "train_dataloader.dataset": dict(_delete_=True, type="GaussianMixture"),
        "train_dataloader.batch_size": BATCH,
        "optim_wrapper.precision": "float32",
        "optim_wrapper.generator.optimizer": optimizer,
        "optim_wrapper.discriminator.optimizer": optimizer,
        "param_scheduler": {
            player: [dict(type="LinearLR", start_factor=1.0, end_factor=0.05, end=iterations, by_epoch=False)]
            for player in ("generator", "discriminator")
        },
        "train_cfg": dict(_delete_=True, type="GANTrainLoop", max_iters=iterations),
        "default_hooks.generator_ema": dict(decay=0.998, start=iterations // 4),
        "default_hooks.sample_grid": None,
        "default_hooks.logger.interval": iterations,
        "default_hooks.checkpoint": dict(_delete_=True, type="GANCheckpointHook", interval=keep),
    }


@torch.no_grad()
def sample(model: Any) -> list[Tensor]:
    """Return sorted samples of every class, in units of x."""
    drawn = []
    for label in range(CLASSES):
        condition = Condition(label=torch.full((SAMPLES,), label))
        latent = model.latent_sampler.sample(SAMPLES, make_generator(0, "test latent", label))
        # model.sample would clip to the range of images
        image = model.generator_ema.eval()(latent, condition)
        drawn.append((image.flatten() * SCALE + CENTRE).sort().values)
    return drawn


def histogram(x: Tensor) -> Tensor:
    """Return the share of ``x`` in every bin; what lies outside counts in the outermost ones."""
    inside = x.clamp(float(EDGES[0]) + 1e-4, float(EDGES[-1]) - 1e-4)
    return torch.histogram(inside.float(), EDGES).hist / len(x)


def distances(drawn: Sequence[Tensor]) -> dict[str, list[float]]:
    """Return total variation and Wasserstein-1 of the classes and, last, of the mixture."""
    labels = torch.arange(CLASSES).repeat_interleave(SAMPLES)
    true = list(truth(labels, "test").view(CLASSES, SAMPLES).sort(dim=1).values)
    pairs = [
        *zip(drawn, true, strict=True),
        (torch.cat(list(drawn)).sort().values, torch.cat(true).sort().values),
    ]
    return {
        "total_variation": [float((histogram(a) - histogram(b)).abs().sum() / 2) for a, b in pairs],
        "wasserstein": [float((a - b).abs().mean()) for a, b in pairs],
    }
