"""Tiny networks without normalisation, for exact statements about the training step."""

import torch
from torch import nn

from mmcgan.models.backbones.base import Backbone
from mmcgan.models.generators.base import Generator
from mmcgan.models.heads.base import Head
from mmcgan.registry import BACKBONES, GENERATORS, HEADS


@GENERATORS.register_module(force=True)
class LinearGenerator(Generator):
    """tanh of a linear map of z and a class table, as a 4x4 image."""

    requires = ("label",)

    def __init__(self, num_classes=3, image_size=4, latent_dim=2):
        super().__init__()
        self.latent_dim, self.image_size, self.num_classes = latent_dim, image_size, num_classes
        self.table = nn.Embedding(num_classes, latent_dim)
        self.linear = nn.Linear(latent_dim, 3 * image_size**2)

    def embed(self, condition):
        """Return the class vector."""
        return self.table(condition.label)

    def synthesize(self, latent, embedding):
        """Return (N, 3, 4, 4)."""
        image = self.linear(latent + embedding).tanh()
        return image.view(-1, 3, self.image_size, self.image_size)


@BACKBONES.register_module(force=True)
class LinearBackbone(Backbone):
    """One linear layer and tanh; counts its forward passes."""

    emits = ("pooled",)

    def __init__(self, image_size=4, out_channels=5):
        super().__init__()
        self.out_channels, self.passes = out_channels, []
        self.linear = nn.Linear(3 * image_size**2, out_channels)

    def forward(self, image):
        """Return pooled features (N, out_channels)."""
        self.passes.append(len(image))
        return {"pooled": self.linear(image.flatten(1)).tanh()}


@HEADS.register_module(force=True)
class LabelledHead(Head):
    """A logit that depends on the class."""

    emits = ("logit",)
    requires = ("label",)
    follows_init = True

    def __init__(self, in_channels, num_classes=3):
        super().__init__()
        self.table = nn.Embedding(num_classes, in_channels)

    def forward(self, features, condition):
        """Return ``logit`` (N,)."""
        return {"logit": (self.table(condition.label) * features["pooled"]).sum(1)}


def config(**changes):
    """Return a ConditionalGAN config made of the stand-ins."""
    base = dict(
        generator=dict(type="LinearGenerator"),
        discriminator=dict(backbone=dict(type="LinearBackbone"), heads=dict(adv=dict(type="LabelledHead"))),
        losses=dict(adversarial=dict(type="HingeLoss")),
        condition_sampler=dict(type="UniformLabel", num_classes=3),
    )
    return {**base, **changes}


def batch(size, seed=0):
    """Return a loader batch of uint8 images and labels."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 256, (size, 3, 4, 4), generator=generator, dtype=torch.uint8)
    return {"image": image, "label": torch.randint(0, 3, (size,), generator=generator)}
