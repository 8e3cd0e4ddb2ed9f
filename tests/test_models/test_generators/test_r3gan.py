"""R3GAN's networks: sizes, start of the weights, conditions, precision."""

import math

import pytest
import torch

from mmcgan.config import find_config
from mmcgan.config.load import read_config
from mmcgan.models.backbones import R3GANBackbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.generators import R3GANGenerator
from mmcgan.models.heads import InnerProductHead
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

SMALL = dict(channels=(12, 8, 8), groups=(3, 2, 2), blocks=(1, 2, 1))
MIRRORED = dict(channels=(8, 8, 12), groups=(2, 2, 3), blocks=(1, 2, 1))


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("config", "classes", "generator", "discriminator"),
    [
        ("r3gan_cifar10-32", 10, 20_781_952, 21_280_512),
        ("r3gan-unconditional_cifar10-32", 0, 20_732_160, 20_683_776),
        ("r3gan_ffhq-64", 0, 22_429_824, 22_381_440),
        ("r3gan_ffhq-256", 0, 23_057_952, 23_009_568),
        ("r3gan_imagenet-32", 1000, 82_914_304, 86_548_992),
        ("r3gan_imagenet-64", 1000, 103_570_432, 107_205_120),
    ],
)
def test_presets_have_the_authors_numbers_of_parameters(config, classes, generator, discriminator):
    model = read_config(find_config(config)).model
    size = dict(image_size=int(config.rpartition("-")[2]))
    with torch.device("meta"):
        made = GENERATORS.build({**model.generator, **size, "num_classes": classes})
        judge = model.discriminator
        judge.backbone.image_size = size["image_size"]
        judge.heads.adv.num_classes = classes
        judged = Discriminator(**judge)
    assert (count(made), count(judged)) == (generator, discriminator)


def root_mean_square(parameters):
    flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
    return float(flat.square().mean().sqrt())


def test_weights_start_so_that_depth_changes_no_size():
    torch.manual_seed(0)
    wide = dict(channels=(64, 64, 64), groups=(8, 8, 8), blocks=(2, 3, 3))
    generator, backbone = R3GANGenerator(16, 10, label_dim=32, **wide), R3GANBackbone(16, **wide)
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    for network in (generator, backbone):
        named = dict(network.named_parameters())
        first = [value for name, value in named.items() if name.endswith("conv1.weight")]
        middle = [value for name, value in named.items() if name.endswith("conv2.weight")]
        zeros = [value for name, value in named.items() if name.endswith(("conv3.weight", ".bias"))]
        assert root_mean_square(first) == pytest.approx(gain / 64**0.5, rel=0.02)
        assert root_mean_square(middle) == pytest.approx(gain / (16 * 9) ** 0.5, rel=0.02)
        assert len(zeros) == 3 * 8
        assert root_mean_square(zeros) == 0
    assert root_mean_square([generator.condition.label.weight]) == pytest.approx(10**-0.5, rel=0.1)
    head = InnerProductHead(64, 10, dim=48)
    assert root_mean_square([head.condition.label.weight]) == pytest.approx((48 * 10) ** -0.5, rel=0.1)
    assert root_mean_square([head.linear.weight]) == pytest.approx(64**-0.5, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "condition"),
    [
        (dict(num_classes=5), Condition(label=torch.tensor([0, 3]))),
        (dict(num_classes=0, instance_dim=7), Condition(instance=torch.randn(2, 7))),
        (
            dict(num_classes=5, instance_dim=7),
            Condition(label=torch.tensor([0, 3]), instance=torch.randn(2, 7)),
        ),
        (dict(num_classes=0), Condition()),
    ],
)
def test_every_part_of_the_condition_reaches_image_and_score(settings, condition):
    torch.manual_seed(0)
    generator = R3GANGenerator(16, latent_dim=8, label_dim=6, instance_embedding_dim=6, **SMALL, **settings)
    head = InnerProductHead(12, dim=6, **settings)
    backbone = R3GANBackbone(16, **MIRRORED)
    latent = torch.randn(2, 8)
    image = generator(latent, condition)
    assert image.shape == (2, 3, 16, 16)
    features = backbone(image)
    assert features["map"].shape == (2, 12, 4, 4)
    logit = head(features, condition)["logit"]
    assert logit.shape == (2,)
    for name, value in condition.present().items():
        other = (value + 1) % 5 if name == "label" else value + 1.0
        changed = Condition(**{**condition.present(), name: other})
        assert (generator(latent, changed) - image).abs().amax() > 1e-3
        assert (head(features, changed)["logit"] - logit).abs().amax() > 1e-5


def test_low_precision_leaves_the_smallest_maps_alone():
    torch.manual_seed(0)
    generator, backbone = R3GANGenerator(16, latent_dim=8, **SMALL), R3GANBackbone(16, **MIRRORED)
    seen = {}
    for network, name in ((generator, "generator"), (backbone, "backbone")):
        for index, block in enumerate(network.blocks):
            block.register_forward_hook(lambda m, i, o, key=(name, index): seen.update({key: o.dtype}))
    with torch.autocast("cpu", torch.bfloat16):
        features = backbone(generator(torch.randn(2, 8), Condition()))
    low, full = torch.bfloat16, torch.float32
    assert [seen["generator", i] for i in range(3)] == [full, low, low]
    assert [seen["backbone", i] for i in range(3)] == [low, low, full]
    assert features["pooled"].dtype == full


def test_an_implicit_output_makes_other_sizes():
    generator = R3GANGenerator(16, latent_dim=8, implicit=dict(hidden=(8,)), **SMALL)
    assert generator(torch.randn(1, 8), Condition(), size=(24, 20)).shape == (1, 3, 24, 20)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(image_size=24), "image_size must be 8, 16, 32, 64"),
        (dict(channels=(8, 8)), "16 has 3 stages, from 4 x 4 to the image; channels has 2 entries"),
        (dict(groups=(3, 2, 5)), "groups=5 do not divide the 16 channels"),
        (dict(groups=(3, 2, 0)), "groups must be positive"),
        (dict(kernel_size=4), "kernel_size must be odd"),
        (dict(latent_dim=0), "latent_dim must be at least 1"),
    ],
)
def test_impossible_networks_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        R3GANGenerator(**{**dict(image_size=16, latent_dim=8), **SMALL, **changes})


def test_a_latent_of_another_length_is_refused():
    with pytest.raises(ValueError, match="latent has length 5, the generator expects 8"):
        R3GANGenerator(16, latent_dim=8, **SMALL)(torch.randn(1, 5), Condition())
