"""A trained model as a prior: its generator, what draws its latents and conditions, and a distance."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.checkpoints.checksum import checksum
from mmcgan.condition_fields import condition_field
from mmcgan.models.generators.base import Generator
from mmcgan.restoration.features import DiscriminatorDistance, Distance, PixelDistance
from mmcgan.restoration.groups import parameter_groups
from mmcgan.structures import Condition
from mmcgan.zoo.discriminators import (
    LoadedDiscriminator,
    load_discriminator,
    read_discriminator,
    shipped_for,
)
from mmcgan.zoo.models import LoadedModel, load_model

DISTANCES = ("auto", "discriminator", "pixels")
PIXELS = "pixels"
#: Times as many conditions are drawn as are asked for, to find some of a label.
DRAWS = 16


@dataclass(frozen=True)
class Prior:
    """What an image is restored with; nothing of it is changed.

    Attributes:
        loaded: the model.
        distance: between images.
        compared: name of the discriminator that compares them, or ``pixels``.
    """

    loaded: LoadedModel
    distance: Distance
    compared: str = PIXELS

    @property
    def pixels_only(self) -> bool:
        """Whether the distance knows pixels only."""
        return self.compared == PIXELS

    @property
    def generator(self) -> Generator:
        """The generator itself; to be copied before it is tuned."""
        return self.loaded.model.generator

    def recorded(self) -> dict[str, Any]:
        """Return what of it decides a result: by names, which people read, and by content, which tells.

        A name is not enough: ``runA/model.safetensors`` and ``runB/model.safetensors`` have the same one.
        """
        made_of = {"config": repr(self.loaded.record.generator), "weights": self.generator.state_dict()}
        return {
            "model": self.loaded.name,
            "weights": checksum(made_of),
            "compared": self.compared,
            "comparing_weights": checksum(self.distance.weights()),
        }

    def copied_generator(self) -> Generator:
        """Return a generator with the same weights, free to be tuned."""
        return deepcopy(self.generator)

    def conditions(self, number: int, label: int | None, source: torch.Generator) -> Condition:
        """Return ``number`` conditions: of one label, or drawn as in training.

        What else the model asks for beside a label is drawn as in training, of that label where it can be.

        Raises:
            ValueError: a label the model does not have, or a field that its sampler does not draw.
        """
        if label is None:
            return self.loaded.condition_sampler.sample(number, source)
        classes = self.generator.num_classes
        if not 0 <= label < classes:
            raise ValueError(f"label {label}: {self.loaded.name} has the classes 0..{classes - 1}")
        labels = {"label": torch.full((number,), label)}
        further = [name for name in self.loaded.requires if name != "label"]
        return Condition.of({**self._drawn_beside(label, further, number, source), **labels})

    def _drawn_beside(
        self, label: int, names: Sequence[str], number: int, source: torch.Generator
    ) -> dict[str, Tensor]:
        """Return ``number`` rows of the fields ``names``, those first that were drawn with ``label``."""
        if not names:
            return {}  # draw nothing: what is restored with a seed stays the same
        drawn = Condition.cat([self.loaded.condition_sampler.sample(number, source) for _ in range(DRAWS)])
        if drawn.label is not None:
            drawn = drawn[(drawn.label != label).to(torch.int8).argsort(stable=True)]
        absent = [name for name in names if drawn.get(name) is None]
        if absent:
            raise ValueError(f"label {label}: the sampler of {self.loaded.name} draws no {', '.join(absent)}")
        return drawn[slice(0, number)].only(names).present()


def check_restores(loaded: LoadedModel) -> None:
    """Check that a latent and the blocks of a generator can be tuned to a photo.

    Raises:
        ValueError: its images belong to maps, and nothing says which map a photo belongs to; or the generator
            does not say its stages.
    """
    maps = [name for name in loaded.requires if not condition_field(name).interpolates]
    if maps:
        raise ValueError(
            f"{loaded.name} is conditioned on {', '.join(maps)}: which one a photo belongs to is not known, "
            "so that it restores none; choose a model of labels, attributes, instances or without a condition"
        )
    parameter_groups(loaded.model.generator)


def load_prior(
    source: str | Path,
    checkpoint: str | Path | None = None,
    distance: str = "auto",
    discriminator: str | Path | None = None,
) -> Prior:
    """Return a trained model as a prior.

    Args:
        source, checkpoint: see :func:`mmcgan.apis.load_model`.
        distance: ``discriminator`` compares features of a discriminator: the one given, else that of the run
            (a ``.pth`` holds it), else one that ships and was trained with the same images; ``pixels``
            compares pixels; ``auto`` takes a discriminator if there is one that looks at the image alone.
        discriminator: see :func:`mmcgan.zoo.discriminators.load_discriminator`.

    Raises:
        ValueError: an unknown ``distance``, no discriminator where one is asked for, or a model that
            :func:`check_restores` refuses.
        FileNotFoundError: no such model or discriminator.
    """
    check_distance(distance, discriminator)
    loaded = load_model(source, checkpoint)
    return prior_of(loaded, Path(checkpoint if checkpoint is not None else source), distance, discriminator)


def check_distance(distance: str, discriminator: str | Path | None) -> None:
    """Check what needs no model.

    Raises:
        ValueError: an unknown ``distance``, or a discriminator beside ``pixels``.
    """
    if distance not in DISTANCES:
        raise ValueError(f"distance={distance!r}: choose one of {', '.join(DISTANCES)}")
    if distance == PIXELS and discriminator is not None:
        raise ValueError(f"distance=pixels compares without the discriminator {discriminator}; leave one out")


def prior_of(
    loaded: LoadedModel,
    file: Path,
    distance: str = "auto",
    discriminator: str | Path | None = None,
) -> Prior:
    """Return a model that is loaded already as a prior.

    Args:
        loaded: the model.
        file: where its weights came from; of a run's ``.pth`` the discriminator is taken.
        distance, discriminator: see :func:`load_prior`.

    Raises:
        ValueError: an unknown ``distance``, no discriminator where one is asked for, one whose backbone looks
            at the condition, or a model that :func:`check_restores` refuses.
        FileNotFoundError: no such discriminator.
    """
    check_distance(distance, discriminator)
    check_restores(loaded)
    if distance == PIXELS:
        return Prior(loaded, PixelDistance())
    if discriminator is not None:
        found: LoadedDiscriminator | None = load_discriminator(discriminator)
    else:
        found = _discriminator_of(loaded, file)
    looks_at = () if found is None else tuple(found.network.backbone.requires)
    if found is not None and looks_at and distance == "auto" and discriminator is None:
        return Prior(loaded, PixelDistance())
    if found is not None and looks_at:
        raise ValueError(
            f"{found.name} cannot compare photos: its {type(found.network.backbone).__name__} looks at "
            f"{', '.join(looks_at)} beside the image; give another discriminator, or distance=pixels"
        )
    if found is not None:
        return Prior(loaded, DiscriminatorDistance(found.network.backbone), found.name)
    if distance == "discriminator":
        raise ValueError(
            f"{loaded.name} comes without its discriminator, and none ships that was trained with its "
            "images: give the checkpoint (.pth) of a run, which holds it, a discriminator, or distance=pixels"
        )
    return Prior(loaded, PixelDistance())


def _discriminator_of(loaded: LoadedModel, path: Path) -> LoadedDiscriminator | None:
    """Return the discriminator of a run, or one that ships and knows the same images."""
    own = read_discriminator(path) if path.suffix == ".pth" else None
    name = shipped_for(loaded.record.dataset) if own is None else None
    return own if name is None else load_discriminator(name)
