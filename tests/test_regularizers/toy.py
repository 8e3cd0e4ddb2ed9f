"""Smooth float64 networks of a few numbers, and the contexts of a step with them."""

import torch

from mmcgan.models.generators.base import Generator
from mmcgan.random import RandomStreams
from mmcgan.regularizers import StepContext
from mmcgan.structures import Condition, GANBatch

SIZE = 3


def draw(*shape, seed=0):
    """Return normal numbers in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class ToyGenerator(Generator):
    """tanh(A z + c_label) as an image (N, 3, SIZE, SIZE)."""

    def __init__(self, weight=None):
        super().__init__()
        self.weight = draw(2, 3 * SIZE * SIZE, seed=1) if weight is None else weight
        self.calls, self.latent_dim = 0, 2

    def embed(self, condition):
        """Return the class vector (N, 1)."""
        return 0.1 * condition.label[:, None].double()

    def synthesize(self, latent, embedding):
        """Return images."""
        self.calls += 1
        return (latent @ self.weight + embedding).tanh().view(-1, 3, SIZE, SIZE)

    def forward(self, latent, condition):
        """Return images."""
        return self.synthesize(latent, self.embed(condition))


class ToyScore:
    """Two named outputs that are smooth in image, condition and ``weight`` (3 * SIZE * SIZE)."""

    def __init__(self, weight=None):
        self.weight = draw(3 * SIZE * SIZE, seed=2) if weight is None else weight
        self.images, self.augmented = [], []

    def __call__(self, image, condition, augment=True):
        self.images.append(image)
        self.augmented.append(augment)
        flat = image.double().flatten(1)
        embed = (flat * self.weight).sin()[:, :4]
        logit = (flat * self.weight).sum(1).tanh() + 0.1 * flat.square().sum(1)
        return {"adv.logit": logit + 0.1 * condition.label, "cls.embed": embed}


def context(score=None, generator=None, images=None, seed=5, latents=4):
    """Return a context of ``latents`` real and as many generated images; its streams start at ``seed``."""
    score, generator = score or ToyScore(), generator or ToyGenerator()
    condition = Condition(label=torch.arange(latents) % 3)
    latent = draw(latents, 2, seed=3)
    real = draw(latents, 3, SIZE, SIZE, seed=4) if images is None else images
    real = GANBatch(real, condition)
    fake = GANBatch(generator(latent, condition), condition, latent)
    scores = [score(batch.image, batch.condition) for batch in (real, fake)]
    return StepContext(real, fake, latent, *scores, score, generator, RandomStreams(seed), generator)
