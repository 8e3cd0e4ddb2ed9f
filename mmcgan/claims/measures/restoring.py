"""How well a generator reconstructs images that its training never saw (Omni-GAN, Table 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import mean
from typing import Any

from torch import Tensor

from mmcgan.claims.run import Run
from mmcgan.random import make_generator
from mmcgan.text_files import say


def restored(
    run: Run,
    discriminator: str,
    images: Mapping[str, Any],
    count: int = 34,
    plan_share: float = 0.1,
    candidates: int = 100,
    task: str = "reconstruct",
) -> dict[str, float]:
    """Return the means over restored images of ``psnr``, in dB, and ``ssim``.

    Seeds look at different images, so that three of them see three times ``count``.

    Args:
        run: of a generator.
        discriminator: a shipped one, whose features compare images, the same for all generators.
        images: config of a data set of images to restore.
        count: images of a seed.
        plan_share: of the iterations of the plan that the task comes with.
        candidates: latents that are tried first.
        task: what is missing.
    """
    from mmcgan.registry import DATASETS, DEGRADATIONS
    from mmcgan.restoration import (
        Problem,
        figures,
        load_prior,
        parameter_groups,
        preset_plan,
        restore_image,
    )
    from mmcgan.restoration.presets import for_size, shortened

    prior = load_prior(run.source.title, discriminator=discriminator)
    degradation = DEGRADATIONS.build({"type": task})
    plan = preset_plan(task, len(parameter_groups(prior.generator)))
    found = []
    for original in _originals(DATASETS.build(dict(images)), count, run.seed):
        chosen = replace(shortened(for_size(plan, original.shape[2]), plan_share), candidates=candidates)
        problem = Problem(degradation.target(original), degradation, prior.distance)
        image = restore_image(prior, problem, chosen).image.clamp(-1, 1)
        found.append(figures(image, original, degradation))
        say(f"{len(found)} of {count}: {found[-1]}", flush=True)
    return {name: mean(each[name] for each in found) for name in found[0]}


def _originals(dataset: Any, count: int, seed: int) -> list[Tensor]:
    """Return ``count`` images (1, C, H, W) in [-1, 1]; other seeds, other images."""
    import torch

    order = torch.randperm(len(dataset), generator=make_generator(0, "images to restore"))
    rows = order[seed * count : (seed + 1) * count].tolist()
    if len(rows) < count:
        raise ValueError(f"seed {seed} has no {count} images of its own among {len(dataset)}")
    return [image[None].float() / 127.5 - 1 for image in dataset.__getitems__(rows)["image"]]
