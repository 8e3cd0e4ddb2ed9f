"""Numbers in place of images: three overlapping Gaussians, and networks of a few numbers for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.datasets.base import GANDataset
from mmcgan.datasets.given import Given
from mmcgan.image_shapes import ImageShapes
from mmcgan.models.backbones.base import Backbone
from mmcgan.models.data_preprocessor import GANDataPreprocessor
from mmcgan.models.generators.base import Generator
from mmcgan.random import make_generator
from mmcgan.structures import Condition, GANBatch

MEANS, DEVIATIONS = torch.tensor([0.0, 3.0, 6.0]), torch.tensor([1.0, 2.0, 3.0])
CLASSES = 3
# the networks see x shifted and scaled to about [-2.5, 2.5]
CENTRE, SCALE = 3.0, 3.5
NUMBERS = ImageShapes(channels=(1,))


def truth(label: Tensor, seed: int | str) -> Tensor:
    """Return a number of the class of each label (N,)."""
    noise = torch.randn(len(label), generator=make_generator(0, "mixture", seed))
    return MEANS[label] + DEVIATIONS[label] * noise


class GaussianMixture(GANDataset):
    """Numbers with the class they were drawn from; ``image`` float32 (N, 1, 1, 1), scaled."""

    def __init__(self, size: int = 100_000) -> None:
        self.label = torch.arange(size) % CLASSES
        self.image = ((truth(self.label, "train") - CENTRE) / SCALE).view(-1, 1, 1, 1)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Classes and sizes."""
        return dict(classes=("a", "b", "c"), num_classes=CLASSES, image_size=1, size=len(self.label))

    def __len__(self) -> int:
        return len(self.label)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = torch.tensor([int(index) for index in indices])
        return dict(image=self.image[rows], label=self.label[rows])

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, int]:
        """Return the class count, and the size and channels of an image."""
        return dict(num_classes=CLASSES, image_size=1, image_channels=1)


class NumberPreprocessor(GANDataPreprocessor):
    """Numbers are what they are: no bytes to scale."""

    image_shapes = NUMBERS

    def forward(
        self, data: dict[str, Any], training: bool = False, generator: torch.Generator | None = None
    ) -> GANBatch:
        """Return the numbers and their classes."""
        return GANBatch(data["image"].to(self.device), self.condition(data))


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )


class NumberGenerator(Generator):
    """(z, class) -> one number."""

    image_shapes = NUMBERS
    requires = ("label",)

    def __init__(self, num_classes: int, image_size: int = 1, latent_dim: int = 2, hidden: int = 64) -> None:
        super().__init__()
        self.num_classes, self.image_size, self.latent_dim = num_classes, image_size, latent_dim
        self.layers = perceptron(latent_dim + num_classes, hidden, 1)

    def embed(self, condition: Condition) -> Tensor:
        """Return the class as (N, C) of 0 and 1."""
        assert condition.label is not None
        return F.one_hot(condition.label, self.num_classes).float()

    def synthesize(self, latent: Tensor, embedding: Tensor) -> Tensor:
        """Return numbers (N, 1, 1, 1)."""
        return self.layers(torch.cat([latent, embedding], dim=1))[:, :, None, None]

    def forward(self, latent: Tensor, condition: Condition) -> Tensor:
        """Return numbers (N, 1, 1, 1)."""
        return self.synthesize(latent, self.embed(condition))


class NumberBackbone(Backbone):
    """One number -> features."""

    image_shapes = NUMBERS
    emits = ("pooled", "map")

    def __init__(self, image_size: int = 1, hidden: int = 64) -> None:
        super().__init__()
        self.out_channels = hidden
        self.layers = perceptron(1, hidden, hidden)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the features as ``pooled`` (N, F) and ``map`` (N, F, 1, 1)."""
        features = F.relu(self.layers(image.flatten(1)))
        return {"pooled": features, "map": features[:, :, None, None]}


def register_parts() -> None:
    """Make the parts known to configs, in the process that trains them and nowhere else."""
    from mmcgan.registry import BACKBONES, DATASETS, GENERATORS, MODELS

    for registry, part in (
        (DATASETS, GaussianMixture),
        (MODELS, NumberPreprocessor),
        (GENERATORS, NumberGenerator),
        (BACKBONES, NumberBackbone),
    ):
        if registry.get(part.__name__) is not part:
            registry.register_module(module=part)
