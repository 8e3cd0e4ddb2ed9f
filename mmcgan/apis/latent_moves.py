"""Sampling with the discriminator's help: DDLS and LOGAN's steps on a loaded generator."""

from __future__ import annotations

from pathlib import Path

from mmcgan.models.latent_moves import check_reads
from mmcgan.samplers.moves import LatentMove
from mmcgan.zoo.discriminators import read_discriminator
from mmcgan.zoo.models import LoadedModel


def attach_move(loaded: LoadedModel, move: LatentMove, checkpoint: str | Path) -> None:
    """Let ``loaded`` move latents by ``move``, with the discriminator that was trained beside it.

    Args:
        loaded: changed in place.
        move: the rule.
        checkpoint: ``.pth`` of the run; exported weights hold no discriminator.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no discriminator in it, one that does not emit what ``move`` reads, or a law of latents
            that ``move`` cannot follow.
    """
    path = Path(checkpoint)
    if path.suffix != ".pth":
        raise ValueError(
            f"{checkpoint}: latents are moved by the discriminator, which a run's .pth checkpoint holds and "
            "shipped or exported generators do not; give the checkpoint"
        )
    found = read_discriminator(path)
    if found is None:
        raise ValueError(f"{path} holds no discriminator with its config")
    discriminator = found.network
    check_reads(move, discriminator.emits)
    move.follow(loaded.model.latent_sampler)
    loaded.model.discriminator = discriminator.to(loaded.model.device)
    loaded.model.latent_move = move
