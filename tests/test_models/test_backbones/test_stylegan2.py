import pytest
import torch

from mmcgan.models.backbones import StyleGAN2Backbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.layers.equalized import EqualizedLinear
from mmcgan.structures import Condition


def tiny(image_size=16, **options):
    torch.manual_seed(0)
    return StyleGAN2Backbone(image_size, **{"max_channels": 6, **options})


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
@pytest.mark.parametrize("minibatch_channels", [0, 1, 2])
def test_features_and_gradients(architecture, minibatch_channels):
    backbone = tiny(architecture=architecture, minibatch_channels=minibatch_channels)
    features = backbone(torch.randn(4, 3, 16, 16))
    assert features["pooled"].shape == (4, backbone.out_channels)
    torch.testing.assert_close(features["map"].flatten(1), features["pooled"])
    features["pooled"].sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in backbone.parameters())


@pytest.mark.parametrize("architecture", ["skip", "orig"])
def test_architectures_differ_as_they_say(architecture):
    inlets = {"skip": ["16", "8", "4"], "orig": ["16"]}
    backbone = tiny(architecture=architecture)
    assert list(backbone.from_rgb) == inlets[architecture]
    assert all(block.shortcut is None for block in backbone.blocks.values())


def test_samples_see_each_other_through_the_minibatch_only():
    images = torch.randn(4, 3, 16, 16)
    changed = torch.cat([images[:1], torch.randn(3, 3, 16, 16)])
    apart, together = tiny(minibatch_channels=0), tiny(minibatch_group=4)
    torch.testing.assert_close(apart(images)["pooled"][0], apart(changed)["pooled"][0])
    assert (together(images)["pooled"][0] - together(changed)["pooled"][0]).abs().max() > 1e-5


def test_r1_reaches_every_weight():
    """The squared gradient at the image is differentiated a second time."""
    backbone, image = tiny(), torch.randn(4, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(backbone(image)["pooled"].sum(), image, create_graph=True)
    gradient.square().sum().backward()
    weights = {name: p for name, p in backbone.named_parameters() if name.endswith("weight")}
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in weights.values())


def test_bf16_autocast():
    backbone, image = tiny(), torch.randn(4, 3, 16, 16)
    exact = backbone(image)["pooled"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = backbone(image)["pooled"]
    torch.testing.assert_close(pooled.float(), exact, atol=0.05, rtol=0.05)


@pytest.mark.parametrize(
    ("heads", "emitted"),
    [
        ({"adv": {"type": "AdversarialHead"}}, {"adv.logit": (4,)}),
        ({"adv": {"type": "ProjectionHead", "num_classes": 3}}, {"adv.logit": (4,)}),
        ({"cls": {"type": "ClassifierHead", "num_classes": 3}}, {"cls.logits": (4, 3)}),
        (
            {"cls": {"type": "ProxyHead", "num_classes": 3, "embed_dim": 5}},
            {"cls.embed": (4, 5), "cls.proxy": (4, 5)},
        ),
        ({"omni": {"type": "OmniHead", "num_classes": 3}}, {"omni.score": (4, 5)}),
        ({"multi": {"type": "FakeClassHead", "num_classes": 3}}, {"multi.logits": (4, 4)}),
    ],
)
def test_every_kind_of_head_learns_at_an_equalised_rate(heads, emitted):
    config = {"type": "StyleGAN2Backbone", "image_size": 16, "max_channels": 6}
    heads = {name: {**head, "spectral_norm": False} for name, head in heads.items()}
    discriminator = Discriminator(config, heads, init="equalized")
    outputs = discriminator(torch.randn(4, 3, 16, 16), Condition(label=torch.tensor([0, 1, 2, 2])))
    assert {name: tuple(outputs[name].shape) for name in emitted} == emitted
    sum(outputs[name].square().sum() for name in emitted).backward()
    assert all(p.grad is not None for p in discriminator.heads.parameters())
    assert any(isinstance(module, EqualizedLinear) for module in discriminator.heads.modules())


def test_other_sizes_of_images_are_refused():
    with pytest.raises(ValueError, match=r"image_size=16, got images \(32, 32\)"):
        tiny()(torch.randn(1, 3, 32, 32))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 20}, "power of two >= 8, got 20"),
        ({"architecture": "deep"}, "architecture must be one of"),
        ({"minibatch_group": -2}, "group_size=-2"),
        ({"channels": (3,)}, "channels lists 1 numbers"),
    ],
)
def test_impossible_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**options)
