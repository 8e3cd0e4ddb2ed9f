"""A class of each role as somebody else writes it, none of which is registered until a test does it."""

from typing import ClassVar

import torch
from torch import nn

from mmcgan.augments import Augment
from mmcgan.condition_fields import ConditionField
from mmcgan.datasets import GANDataset
from mmcgan.evaluation import GenerationMetric
from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing
from mmcgan.losses import Loss, PairedLoss
from mmcgan.models.backbones import Backbone
from mmcgan.models.generators import Generator
from mmcgan.models.heads import Head
from mmcgan.regularizers import Regularizer
from mmcgan.restoration import Degradation
from mmcgan.samplers import ConditionSampler, LatentSampler
from mmcgan.samplers.moves import LatentMove
from mmcgan.structures import Condition

SIDE, CLASSES = 16, 10


class StrangeGenerator(Generator):
    """A linear map."""

    requires = ("label",)
    image_size, latent_dim, num_classes = SIDE, 4, CLASSES

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.linear = nn.Embedding(CLASSES, 4), nn.Linear(4, 3 * SIDE**2)

    def embed(self, condition):
        """Return a row a label."""
        return self.rows(condition.label)

    def synthesize(self, latent, embedding):
        """Return images."""
        return self.linear(latent + embedding).tanh().unflatten(1, (3, SIDE, SIDE))


class StrangeBackbone(Backbone):
    """Colours of a few parts."""

    emits = ("pooled",)
    out_channels = 12

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(12))

    def forward(self, image):
        """Return features."""
        return {"pooled": nn.functional.adaptive_avg_pool2d(image, 2).flatten(1) * self.scale}


class StrangeHead(Head):
    """A linear map."""

    emits = ("logit",)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, 1)

    def forward(self, features, condition):
        """Return a logit an image."""
        return {"logit": self.linear(features["pooled"])[:, 0]}


class StrangeLoss(Loss):
    """Of Wasserstein's kind."""

    default_inputs: ClassVar = {"logit": "adv.logit"}

    def real(self, logit):
        """Return a scalar."""
        return -logit.mean()

    def fake(self, logit):
        """Return a scalar."""
        return logit.mean()

    def generated(self, logit):
        """Return a scalar."""
        return -logit.mean()


class StrangePairs(PairedLoss):
    """Of Wasserstein's kind, in pairs."""

    default_inputs: ClassVar = {"logit": "adv.logit"}
    input_names = ("logit",)

    def discriminator(self, real, fake):
        """Return a scalar."""
        return (fake["logit"] - real["logit"]).mean()


class StrangeRegularizer(Regularizer):
    """Keeps logits small."""

    reads = ("adv.logit",)

    def __init__(self) -> None:
        super().__init__("discriminator")

    def forward(self, context):
        """Return a scalar."""
        return context.real_scores["adv.logit"].square().mean()


class StrangeAugment(Augment):
    """Makes images darker."""

    def transform(self, image, draws):
        """Return images."""
        return image * 0.9


class StrangeLatents(LatentSampler):
    """Uniform."""

    def sample(self, n, generator):
        """Return latents."""
        return torch.rand(n, self.latent_dim, generator=generator)


class StrangeConditions(ConditionSampler):
    """Any label."""

    num_classes = CLASSES

    def sample(self, n, generator):
        """Return labels."""
        return Condition(label=torch.randint(CLASSES, (n,), generator=generator))


class StrangeMove(LatentMove):
    """Leaves latents where they are."""

    def __call__(self, latent, logit):
        """Return latents."""
        return latent


class StrangeExtractor(Extractor):
    """Mean colours."""

    def __init__(self) -> None:
        super().__init__("strange", Preprocessing(8))
        self.feature_dim = 12
        self.freeze()

    def encode(self, pixels):
        """Return features."""
        return ExtractorOutput(nn.functional.adaptive_avg_pool2d(pixels, 2).flatten(1))


class StrangeMetric(GenerationMetric):
    """Mean of features."""

    short_names: ClassVar = {"strange": {}}
    better: ClassVar = {"strange_figure": "less"}
    figures = ("strange_figure",)

    def reset(self):
        """Forget."""
        self.seen = []

    def update(self, output, condition):
        """Add."""
        self.seen.append(output.features)

    def merge(self):
        """Do nothing."""

    def compute(self):
        """Return the figure."""
        return {"strange_figure": float(torch.cat(self.seen).mean())}


class StrangeDataset(GANDataset):
    """Noise."""

    disk_arguments = ()

    @classmethod
    def facts(cls):
        """Return what is known."""
        return dict(image_size=SIDE, num_classes=CLASSES)

    @property
    def metainfo(self):
        """What is known."""
        return dict(image_size=SIDE, num_classes=CLASSES)

    def __len__(self):
        """Return a few."""
        return 40

    def __getitems__(self, indices):
        """Return images and labels."""
        rows = torch.tensor([int(index) for index in indices])
        return {
            "image": torch.full((len(rows), 3, SIDE, SIDE), 7, dtype=torch.uint8),
            "label": rows % CLASSES,
        }


class StrangeField(ConditionField):
    """A few numbers."""

    def made_up(self, n, size, image_size, source):
        """Return numbers."""
        return torch.rand(n, 2, generator=source)


class StrangeDegradation(Degradation):
    """Half of the light."""

    def degrade(self, image):
        """Return darker images."""
        return image / 2


#: role's registry by name -> classes
STRANGERS = {
    "GENERATORS": [StrangeGenerator],
    "BACKBONES": [StrangeBackbone],
    "HEADS": [StrangeHead],
    "LOSSES": [StrangeLoss, StrangePairs],
    "REGULARIZERS": [StrangeRegularizer],
    "AUGMENTS": [StrangeAugment],
    "SAMPLERS": [StrangeLatents, StrangeConditions, StrangeMove],
    "EXTRACTORS": [StrangeExtractor],
    "GENERATION_METRICS": [StrangeMetric],
    "DATASETS": [StrangeDataset],
    "CONDITION_FIELDS": [StrangeField],
    "DEGRADATIONS": [StrangeDegradation],
}
