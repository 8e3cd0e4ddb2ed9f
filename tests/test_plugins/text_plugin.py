"""A package of somebody else, installed by a test: images that belong to a text and a pose."""

from typing import ClassVar

import torch
from mmengine.dist import all_gather_object
from torch import nn

from mmcgan.condition_fields import ConditionField
from mmcgan.datasets import GANDataset
from mmcgan.evaluation import GenerationMetric
from mmcgan.extractors import Extractor
from mmcgan.extractors.base import ExtractorOutput, Preprocessing
from mmcgan.models.generators import Generator
from mmcgan.models.heads import Head
from mmcgan.registry import CONDITION_FIELDS, DATASETS, EXTRACTORS, GENERATION_METRICS, GENERATORS, HEADS

SIDE = 16


@CONDITION_FIELDS.register_module("text")
class Text(ConditionField):
    """An embedded sentence, float32 (N, text_dim)."""

    facts = ("text_dim",)

    def made_up(self, n, size, image_size, source):
        """Return vectors."""
        return torch.randn(n, size, generator=source)


@CONDITION_FIELDS.register_module("pose")
class Pose(ConditionField):
    """Where the light is, float32 (N, 2): x and y in [0, 1]."""

    def made_up(self, n, size, image_size, source):
        """Return places."""
        return torch.rand(n, 2, generator=source)

    def mirrored(self, value):
        """Return the places in mirrored images."""
        return torch.stack([1 - value[:, 0], value[:, 1]], dim=1)


@DATASETS.register_module()
class Lights(GANDataset):
    """A light at a place, in the colours of its text."""

    disk_arguments = ()

    def __init__(self, size: int = 32, text_dim: int = 5) -> None:
        source = torch.Generator().manual_seed(0)
        self.size, self.image_size = size, SIDE
        self.text = torch.randn(size, text_dim, generator=source)
        self.pose = torch.rand(size, 2, generator=source)

    @classmethod
    def facts(cls, size: int = 32, text_dim: int = 5):
        """Return the length of texts, which whoever asks for ``text_dim`` is told."""
        return dict(image_size=SIDE, text_dim=text_dim, num_classes=0)

    @property
    def metainfo(self):
        """What is known of the set."""
        return dict(num_classes=0, image_size=SIDE, size=self.size)

    def __len__(self):
        return self.size

    def __getitems__(self, indices):
        """Return images and what belongs to them."""
        rows = torch.tensor([int(index) for index in indices])
        x = torch.linspace(0, 1, SIDE)
        place = self.pose[rows]
        far = (x[None, None] - place[:, 0, None, None]) ** 2 + (
            x[None, :, None] - place[:, 1, None, None]
        ) ** 2
        colour = self.text[rows, :3].sigmoid()[:, :, None, None]
        image = (255 * colour * torch.exp(-8 * far)[:, None]).to(torch.uint8)
        return {"image": image, "text": self.text[rows], "pose": place}


@GENERATORS.register_module()
class TextGenerator(Generator):
    """Text and pose side by side, and z."""

    requires = ("text", "pose")
    num_classes = 0

    def __init__(self, image_size: int, text_dim: int, latent_dim: int = 6, base_channels: int = 8) -> None:
        super().__init__()
        self.image_size, self.latent_dim = image_size, latent_dim
        self.asked = nn.Linear(text_dim + 2, base_channels)
        self.start = nn.Linear(latent_dim, base_channels)
        self.colours = nn.Linear(base_channels, 3 * image_size**2)

    def embed(self, condition):
        """Return a vector for text and pose."""
        return self.asked(torch.cat([condition.get("text"), condition.get("pose")], dim=1))

    def synthesize(self, latent, embedding):
        """Return images."""
        x = self.colours(torch.relu(self.start(latent) + embedding))
        return torch.tanh(x).unflatten(1, (3, self.image_size, self.image_size))


@HEADS.register_module()
class TextHead(Head):
    """Inner product of features and text, and a plain logit."""

    emits = ("logit", "match")
    requires = ("text",)

    def __init__(self, in_channels: int, text_dim: int) -> None:
        super().__init__()
        self.linear, self.text = nn.Linear(in_channels, 1), nn.Linear(text_dim, in_channels)

    def forward(self, features, condition):
        """Return ``logit`` and ``match``, (N,) each."""
        pooled = features["pooled"]
        match = (self.text(condition.get("text")) * pooled).sum(1)
        return {"logit": self.linear(pooled).squeeze(1) + match, "match": match}


@EXTRACTORS.register_module()
class MeanColour(Extractor):
    """Mean colours of quarters: no weights."""

    def __init__(self) -> None:
        super().__init__("mean-colour", Preprocessing(SIDE))
        self.feature_dim = 12
        self.freeze()

    def encode(self, pixels):
        """Return 12 numbers an image."""
        return ExtractorOutput(nn.functional.adaptive_avg_pool2d(pixels, 2).flatten(1))


@GENERATION_METRICS.register_module()
class TextAgreement(GenerationMetric):
    """Correlation of the asked text's first number with redness."""

    short_names: ClassVar = {"agreement": {}}
    better: ClassVar = {"text_agreement": "greater"}
    figures = ("text_agreement",)

    def reset(self):
        """Forget all images."""
        self.pairs = []

    def update(self, output, condition):
        """Add a batch."""
        red = output.features[:, :4].mean(1)
        self.pairs.append(torch.stack([condition.get("text")[:, 0].cpu(), red.cpu()]))

    def merge(self):
        """Gather what all ranks saw."""
        self.pairs = [part for parts in all_gather_object(self.pairs) for part in parts]

    def compute(self):
        """Return the correlation."""
        return {"text_agreement": float(torch.corrcoef(torch.cat(self.pairs, dim=1))[0, 1])}
