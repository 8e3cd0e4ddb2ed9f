"""Latents that the discriminator moves before they become samples (LOGAN, DDLS)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.contracts import check_object
from mmcgan.dtypes import at_least_float32
from mmcgan.realness import READINGS
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import LatentSampler
from mmcgan.samplers.moves import LatentMove
from mmcgan.structures import Condition
from mmcgan.suggestions import nearest


def build_move(config: dict[str, Any] | None, emits: Sequence[str], law: LatentSampler) -> LatentMove | None:
    """Return the rule of ``config`` for latents of ``law``; None without one.

    Raises:
        ContractError: not a rule that moves latents.
        ValueError: one that reads what the discriminator does not emit, or cannot follow the law.
    """
    if config is None:
        return None
    move = SAMPLERS.build(dict(config))
    check_object(move, LatentMove)
    check_reads(move, emits)
    move.follow(law)
    return move


def check_reads(move: LatentMove, emits: Sequence[str]) -> None:
    """Raise ValueError if ``move`` reads what the discriminator does not emit."""
    for name in move.reads:
        if name not in emits:
            hint = nearest(name, list(emits))
            raise ValueError(f"latent_move reads {name!r}, which nothing emits.{hint}")


def move_latents(
    move: LatentMove,
    generator: nn.Module,
    discriminator: nn.Module,
    latent: Tensor,
    condition: Condition,
    code_dim: int = 0,
) -> Tensor:
    """Return the latents (N, D) after ``move``; both networks are in evaluation mode meanwhile.

    Args:
        move: the rule.
        generator, discriminator: networks on one device.
        latent: (N, D).
        condition: of each latent.
        code_dim: number of columns at the end that stay as they are (InfoGAN's codes).
    """
    kept = latent[:, latent.shape[1] - code_dim :]

    def logit(point: Tensor) -> Tensor:
        joined = torch.cat([point, kept], dim=1) if code_dim else point
        image = at_least_float32(generator(joined, condition))
        scores = at_least_float32(discriminator(image, condition)[move.reads[0]])
        return READINGS[move.reading](scores).flatten()

    with _evaluating(generator), _evaluating(discriminator):
        moved = move(latent[:, : latent.shape[1] - code_dim], logit)
    return torch.cat([moved, kept], dim=1) if code_dim else moved


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
