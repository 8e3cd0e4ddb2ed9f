"""Networks compute in the format of their weights: float64 results are what parity is judged by."""

import pytest
import torch

from mmcgan.models import Discriminator
from mmcgan.registry import BACKBONES, GENERATORS
from mmcgan.structures import Condition
from tests.tiny_networks import tiny_painter, tiny_stylegan2

SMALL = {"image_size": 16, "num_classes": 3, "base_channels": 4}
GENERATOR_KINDS = {
    "attention": dict(SMALL, type="BigGANGenerator", latent_dim=9, shared_dim=4, attention_resolutions=[8]),
    "implicit": dict(SMALL, type="BigGANGenerator", latent_dim=9, shared_dim=4, implicit=dict(hidden=[4])),
    "deep": dict(SMALL, type="BigGANDeepGenerator", latent_dim=6, shared_dim=4),
    "resnet": dict(SMALL, type="ResNetGenerator", latent_dim=6, spectral_norm=True),
    "dcgan": dict(SMALL, type="DCGANGenerator", latent_dim=6),
    "r3gan": dict(
        type="R3GANGenerator", image_size=8, num_classes=3, channels=(8, 8), groups=(2, 2), blocks=(1, 1)
    ),
    "fastgan": dict(SMALL, type="FastGANGenerator", latent_dim=6, excitation_factor=4),
    "stylegan2": tiny_stylegan2(3, 6, 16),
    "spade": tiny_painter(3),
}
BACKBONE_KINDS = {
    "biggan": dict(type="BigGANBackbone", image_size=16, base_channels=4, attention_resolutions=[8]),
    "deep": dict(type="BigGANDeepBackbone", image_size=16, base_channels=4),
    "resnet": dict(type="ResNetBackbone", image_size=16, base_channels=4),
    "dcgan": dict(type="DCGANBackbone", image_size=16, base_channels=4),
    "stylegan2": dict(type="StyleGAN2Backbone", image_size=16, channel_base=64, max_channels=8),
    "projected": dict(
        type="ProjectedBackbone",
        image_size=16,
        extractor=dict(type="SmallClassifier", weights="digits-16"),
        strides=(1, 2, 4),
        max_channels=4,
        end_size=4,
    ),
    "r3gan": dict(type="R3GANBackbone", image_size=16, channels=(8,) * 3, groups=(2,) * 3, blocks=(1,) * 3),
}


def assert_float64(value):
    assert value.dtype == torch.float64
    assert (value.float().double() != value).any(), "went through float32"


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
@torch.no_grad()
def test_generators_keep_float64(kind):
    torch.manual_seed(0)
    network = GENERATORS.build(dict(GENERATOR_KINDS[kind])).double()
    condition = Condition(label=torch.tensor([0, 2]), label_map=torch.randint(3, (2, 32, 32)))
    latent = torch.randn(2, network.latent_dim, dtype=torch.float64)
    assert_float64(network(latent, condition.only(network.requires)))


@pytest.mark.parametrize("kind", BACKBONE_KINDS)
@torch.no_grad()
def test_discriminators_keep_float64(kind):
    torch.manual_seed(0)
    head = dict(type="ProjectionHead", num_classes=3)
    network = Discriminator(dict(BACKBONE_KINDS[kind]), dict(adv=head)).double()
    image = torch.rand(2, 3, 16, 16, dtype=torch.float64) * 2 - 1
    for value in network(image, Condition(label=torch.tensor([0, 2]))).values():
        assert_float64(value)


def test_all_kinds_are_walked():
    walked = {config["type"] for config in (*GENERATOR_KINDS.values(), *BACKBONE_KINDS.values())}
    own = {
        name
        for registry in (GENERATORS, BACKBONES)
        for name, kind in registry.module_dict.items()
        if kind.__module__.startswith("mmcgan.")
    }
    # what wraps another generator, whose result it returns; what sees patches has no vector at its end
    assert own - walked <= {"CodedGenerator", "PatchBackbone"}
