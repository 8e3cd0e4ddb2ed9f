"""Between two images: latents, embeddings and tuned generators mixed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.models.generators.base import Generator
from mmcgan.restoration.render import Size
from mmcgan.structures import Condition


@dataclass(frozen=True)
class Tuned:
    """A generator tuned to one image.

    Attributes:
        generator: with its own weights.
        latent: (1, D).
        condition: of one image.
    """

    generator: Generator
    latent: Tensor
    condition: Condition


@torch.no_grad()
def morph(first: Tuned, second: Tuned, share: float, size: Size | None = None) -> Tensor:
    """Return an image (1, 3, H, W) that is ``share`` of the first and the rest of the second.

    The latent, the embedding (each by its own generator) and every parameter and buffer are mixed linearly.
    Where layers look labels up themselves there is nothing to mix: those of the first are kept. ``size`` is
    for generators of any size.

    Raises:
        ValueError: generators of different architecture.
    """
    states = (first.generator.state_dict(), second.generator.state_dict())
    if {k: v.shape for k, v in states[0].items()} != {k: v.shape for k, v in states[1].items()}:
        raise ValueError("morph: the two generators differ in architecture")
    mixed = deepcopy(first.generator)
    mixed.load_state_dict({k: _mix(v, states[1][k], share) for k, v in states[0].items()})
    embeddings = [each.generator.embed(each.condition) for each in (first, second)]
    embedding = None if embeddings[0] is None else _mix(embeddings[0], embeddings[1], share)
    latent = _mix(first.latent, second.latent, share)
    if size is None:
        return mixed.synthesize(latent, embedding)
    return mixed.synthesize_at(latent, embedding, size)


def _mix(first: Tensor, second: Tensor, share: float) -> Tensor:
    return share * first + (1 - share) * second if first.is_floating_point() else first
