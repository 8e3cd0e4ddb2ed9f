"""A generator of one's own, as in docs/extending/generator.md."""

import torch
from torch import nn

from mmcgan.models.generators import Generator
from mmcgan.models.generators.base import FirstMap, Stages
from mmcgan.registry import GENERATORS


@GENERATORS.register_module()
class PerceptronGenerator(Generator):
    """z and a row of the label -> two linear maps -> an image."""

    requires = ("label",)  # () for an unconditional one; may be set by the constructor

    def __init__(
        self, image_size: int, num_classes: int, latent_dim: int = 16, base_channels: int = 32
    ) -> None:
        super().__init__()
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim
        self.labels = nn.Embedding(num_classes, base_channels)
        self.start = nn.Linear(latent_dim, base_channels)
        self.colours = nn.Linear(base_channels, 3 * image_size**2)

    def embed(self, condition):
        """Return a row for each label (N, base_channels)."""
        return self.labels(condition.label)

    def synthesize(self, latent, embedding):
        """Return images (N, 3, image_size, image_size)."""
        x = self.colours(torch.relu(self.start(latent) + embedding))
        return torch.tanh(x).unflatten(1, (3, self.image_size, self.image_size))

    def first_map(self):  # optional: for mmcgan sefa
        """Return the map that meets z first."""
        return FirstMap(self.start.weight.detach())

    def stages(self):  # optional: for mmcgan restore
        """Return what makes an image, in order."""
        return Stages(blocks=[[self.start]], output=[self.colours], embedding=[self.labels])
