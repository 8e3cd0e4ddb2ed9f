"""The latent to start from: the best of many."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mmcgan.models.generators.base import Generator
from mmcgan.restoration.features import at_most
from mmcgan.restoration.problem import Problem
from mmcgan.restoration.render import render
from mmcgan.structures import Condition

#: Features compared, whatever the first stage compares; fewer where a discriminator has fewer.
FEATURES = at_most(3)
#: Candidates made at a time, fewer where they have more pixels than this together.
BATCH, PIXELS = 16, 2**16


@torch.no_grad()
def candidate_distances(
    generator: Generator,
    latents: Tensor,
    condition: Condition,
    problem: Problem,
    degrade: Callable[[Tensor], Tensor] | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Tensor:
    """Return how far each candidate is from the target, (N,); the smallest wins.

    Args:
        generator: in evaluation mode.
        latents, condition: N candidates.
        problem: what is to be restored.
        degrade: what is done to each before it is compared, by default what is done while tuning; the Deep
            Generative Prior does what was done to the target.
        advance: called once per candidate.
    """
    degrade = degrade or problem.degradation.degrade
    found = []
    batch = max(1, min(BATCH, PIXELS // problem.target[0, 0].numel()))
    for start in range(0, len(latents), batch):
        rows = slice(start, start + batch)
        images = degrade(render(generator, latents[rows], condition[rows], problem.size))
        found.append(problem.distance(images, problem.target, FEATURES))
        for _ in range(len(images)):
            advance()
    return torch.cat(found)
