"""Small generators of every class, law of latents and kind of condition, as loaded models."""

from dataclasses import dataclass, field

import torch

from mmcgan.models.sampling import SamplingModel
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import LatentSampler
from mmcgan.zoo.models import GeneratorRecord, LoadedModel
from tests.tiny_networks import tiny_painter

SMALL = dict(image_size=16, base_channels=4, latent_dim=12)
STORE = dict(size=24, dim=6, num_classes=3)
GROUPS = {"digit": ["0", "1", "2"], "domain": ["plain", "textured"]}
MAPS = dict(type="Scenes", image_size=32, size=8)
EDGES = {**MAPS, "has_edges": True}
CLASSES = dict(image_size=16, num_classes=3, latent_dim=8)
LABELS = dict(type="ConditionDataset", num_classes=3)


class HalvedLatent(LatentSampler):
    """A law of somebody else: truncation at t scales by t, and twice is not once."""

    def sample(self, n, generator):
        return torch.randn(n, self.latent_dim, generator=generator).sign()

    def truncate(self, latent, threshold, generator=None):
        return latent * threshold


class SilentLatent(HalvedLatent):
    """A law that says nothing of truncation."""

    truncate = LatentSampler.truncate


@dataclass
class Family:
    generator: dict
    law: dict = field(default_factory=lambda: dict(type="NormalLatent"))
    condition: dict = field(default_factory=lambda: dict(type="UniformLabel", num_classes=3))
    evaluation: dict = field(default_factory=lambda: LABELS)
    truncation: float | None = 0.6
    dataset: dict = field(default_factory=dict)


BIGGAN = dict(type="BigGANGenerator", num_classes=3, **SMALL)
INSTANCES = dict(type="AllInstances", instance_store=STORE, num_classes=3)
FAMILIES = {
    "labels": Family(BIGGAN),
    "unconditional": Family(
        dict(type="DCGANGenerator", num_classes=0, **SMALL),
        condition=dict(type="ConstantLabel"),
        evaluation=dict(type="ConditionDataset"),
    ),
    "no truncation": Family(BIGGAN, truncation=None),
    "uniform latents": Family(BIGGAN, dict(type="UniformLatent")),
    "narrow latents": Family(BIGGAN, dict(type="TruncatedNormalLatent", threshold=1.0)),
    "codes": Family(BIGGAN, dict(type="CodedLatent", codes=1, values=3, continuous=2)),
    "codes over uniform noise": Family(
        BIGGAN, dict(type="CodedLatent", codes=1, values=3, noise=dict(type="UniformLatent"))
    ),
    "scaled latents": Family(BIGGAN, dict(type="ScaledLatent", scale=1.5)),
    "another's law": Family(BIGGAN, dict(type="HalvedLatent")),
    "resnet": Family(dict(type="ResNetGenerator", num_classes=3, **SMALL)),
    "deep": Family(dict(type="BigGANDeepGenerator", num_classes=3, **{**SMALL, "image_size": 32})),
    "dcgan": Family(dict(type="DCGANGenerator", num_classes=3, **SMALL)),
    "psi": Family(dict(type="StyleGAN2Generator", max_channels=8, style_dim=8, **CLASSES)),
    "r3gan": Family(
        dict(
            type="R3GANGenerator", channels=(8,) * 3, groups=(2,) * 3, blocks=(1,) * 3, label_dim=8, **CLASSES
        )
    ),
    "fastgan": Family(dict(type="FastGANGenerator", base_channels=2, excitation_factor=4, **CLASSES)),
    "mixed codes": Family(
        dict(type="CodedGenerator", generator=BIGGAN, code_dim=5),
        dict(type="CodedLatent", codes=1, values=3, continuous=2),
    ),
    "implicit": Family(dict(**BIGGAN, implicit=dict(hidden=(8,)))),
    "edge maps": Family(
        tiny_painter(has_edges=True),
        condition=dict(type="RealCondition", dataset={**EDGES, "split": "test"}),
        evaluation=dict(type="LabelMapConditions", dataset={**EDGES, "split": "test"}),
        dataset={**EDGES, "split": "train"},
    ),
    "attributes": Family(
        dict(type="BigGANGenerator", num_classes=0, attribute_groups=GROUPS, **SMALL),
        condition=dict(type="UniformAttributes", attribute_groups=GROUPS),
        evaluation=dict(type="AttributeConditionDataset", attribute_groups=GROUPS),
    ),
    "instances": Family(
        dict(type="BigGANGenerator", num_classes=3, instance_dim=6, **SMALL),
        condition=INSTANCES,
        evaluation=dict(type="InstanceConditionDataset", condition_sampler=INSTANCES),
    ),
    "label maps": Family(
        tiny_painter(),
        condition=dict(type="RealCondition", dataset={**MAPS, "split": "test"}),
        evaluation=dict(type="LabelMapConditions", dataset={**MAPS, "split": "test"}),
        dataset={**MAPS, "split": "train"},
    ),
}


def load(family):
    torch.manual_seed(0)
    model = SamplingModel(dict(family.generator), dict(family.law), ema=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # so that nothing is 0 at the start
            parameter.add_(0.02 * torch.randn(parameter.shape))
    sampler = SAMPLERS.build(dict(family.condition))
    record = GeneratorRecord(family.generator, family.law, family.condition, dataset=family.dataset)
    return LoadedModel(model, sampler, record, "family")
