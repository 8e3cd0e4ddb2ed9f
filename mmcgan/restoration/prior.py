"""A trained model as a prior: its generator, what draws its latents and conditions, and a distance."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmcgan.apis.models import LoadedModel, load_model
from mmcgan.checkpoints import load_checkpoint, strip_prefix
from mmcgan.config.literals import assignments
from mmcgan.models.discriminator import Discriminator
from mmcgan.restoration.features import DiscriminatorDistance, Distance, PixelDistance
from mmcgan.structures import Condition

PREFIX = "discriminator."
DISTANCES = ("auto", "discriminator", "pixels")


@dataclass(frozen=True)
class Prior:
    """What an image is restored with; nothing of it is changed.

    Attributes:
        loaded: the model.
        distance: between images.
        pixels_only: whether the distance knows pixels only.
    """

    loaded: LoadedModel
    distance: Distance
    pixels_only: bool

    @property
    def generator(self) -> nn.Module:
        """The generator itself; to be copied before it is tuned."""
        return self.loaded.model.generator

    def copied_generator(self) -> nn.Module:
        """Return a generator with the same weights, free to be tuned."""
        return deepcopy(self.generator)

    def conditions(self, number: int, label: int | None, source: torch.Generator) -> Condition:
        """Return ``number`` conditions: of one label, or drawn as in training.

        Raises:
            ValueError: a label the model does not have.
        """
        if label is None:
            return self.loaded.condition_sampler.sample(number, source)
        classes = int(getattr(self.generator, "num_classes", 0) or 0)
        if not 0 <= label < classes:
            raise ValueError(f"label {label}: {self.loaded.name} has the classes 0..{classes - 1}")
        return Condition(label=torch.full((number,), label))


def load_prior(source: str | Path, checkpoint: str | Path | None = None, distance: str = "auto") -> Prior:
    """Return a trained model as a prior.

    Args:
        source, checkpoint: see :func:`mmcgan.apis.load_model`.
        distance: ``discriminator`` compares features of the discriminator, which a run's ``.pth`` holds and
            exported weights do not; ``pixels`` compares pixels; ``auto`` takes the discriminator if there is
            one.

    Raises:
        ValueError: an unknown ``distance``, or no discriminator where one is asked for.
        FileNotFoundError: no such model.
    """
    if distance not in DISTANCES:
        raise ValueError(f"distance={distance!r}: choose one of {', '.join(DISTANCES)}")
    loaded = load_model(source, checkpoint)
    path = Path(checkpoint if checkpoint is not None else source)
    found = None if distance == "pixels" or path.suffix != ".pth" else read_discriminator(path)
    if found is None and distance == "discriminator":
        raise ValueError(
            f"{loaded.name} comes without its discriminator: give the checkpoint (.pth) of a run, which "
            "holds it, or distance=pixels"
        )
    if found is None:
        return Prior(loaded, PixelDistance(), True)
    return Prior(loaded, DiscriminatorDistance(found.backbone), False)


def read_discriminator(path: Path) -> Discriminator | None:
    """Return the discriminator of a run's checkpoint, in evaluation mode; None if it holds none."""
    checkpoint = load_checkpoint(path)
    state = strip_prefix(checkpoint.get("state_dict", checkpoint))
    weights = {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
    config: dict[str, Any] | None = None
    if "cfg" in checkpoint.get("meta", {}):
        config = assignments(checkpoint["meta"]["cfg"])["model"].get("discriminator")
    if not weights or config is None:
        return None
    discriminator = Discriminator(**{k: v for k, v in config.items() if k != "type"})
    discriminator.load_state_dict(weights)
    return discriminator.requires_grad_(False).eval()
