"""Sampling with the discriminator's help: DDLS and LOGAN's steps on a loaded generator."""

from __future__ import annotations

from pathlib import Path

from mmcgan.checkpoints.files import load_checkpoint, strip_prefix
from mmcgan.config.literals import assignments
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.latent_moves import check_reads
from mmcgan.samplers.moves import LatentMove
from mmcgan.zoo.models import LoadedModel

PREFIX = "discriminator."


def attach_move(loaded: LoadedModel, move: LatentMove, checkpoint: str | Path) -> None:
    """Let ``loaded`` move latents by ``move``, with the discriminator that was trained beside it.

    Args:
        loaded: changed in place.
        move: the rule.
        checkpoint: ``.pth`` of the run; exported weights hold no discriminator.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no discriminator in it, or one that does not emit what ``move`` reads.
    """
    path = Path(checkpoint)
    if path.suffix != ".pth":
        raise ValueError(
            f"{checkpoint}: latents are moved by the discriminator, which a run's .pth checkpoint holds and "
            "shipped or exported generators do not; give the checkpoint"
        )
    content = load_checkpoint(path)
    state = strip_prefix(content.get("state_dict", content))
    weights = {key.removeprefix(PREFIX): value for key, value in state.items() if key.startswith(PREFIX)}
    if not weights or "cfg" not in content.get("meta", {}):
        raise ValueError(f"{path} holds no discriminator with its config")
    discriminator = Discriminator(**assignments(content["meta"]["cfg"])["model"]["discriminator"])
    check_reads(move, discriminator.emits)
    try:
        discriminator.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path}: the discriminator does not fit its config: {error}") from error
    loaded.model.discriminator = discriminator.requires_grad_(False).eval().to(loaded.model.device)
    loaded.model.latent_move = move
