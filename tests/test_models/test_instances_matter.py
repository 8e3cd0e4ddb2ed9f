"""An instance is to a network that starts what a label is: features have length 1, whatever their number."""

import pytest
import torch

from mmcgan.registry import GENERATORS, HEADS
from mmcgan.structures import Condition

FEATURES = 1280
GENERATOR_KINDS = {
    "fastgan": dict(type="FastGANGenerator", base_channels=8, latent_dim=16, excitation_factor=4),
    "r3gan": dict(
        type="R3GANGenerator", channels=(16, 16, 8, 8), groups=(4,) * 4, blocks=(1,) * 4, label_dim=16
    ),
    "stylegan2": dict(type="StyleGAN2Generator", channel_base=256, max_channels=16, style_dim=16),
}


def instances(count):
    """Return features like those behind a rectifier: of length 1 and in the same orthant."""
    features = torch.randn(count, FEATURES).relu() + 0.3
    return features / features.norm(dim=1, keepdim=True)


def change(values):
    """Return how much rows differ from each other."""
    return values.reshape(len(values), -1).std(0).square().mean().sqrt().item()


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
@torch.no_grad()
def test_images_differ_with_the_instance_about_as_with_the_label(kind):
    torch.manual_seed(0)
    shape = dict(image_size=32, **GENERATOR_KINDS[kind])
    labelled = GENERATORS.build(dict(shape, num_classes=10))
    shown = GENERATORS.build(dict(shape, num_classes=0, instance_dim=FEATURES, instance_embedding_dim=16))
    latent = torch.randn(1, labelled.latent_dim).expand(10, -1)
    by_label = change(labelled.eval()(latent, Condition(label=torch.arange(10))))
    by_instance = change(shown.eval()(latent, Condition(instance=instances(10))))
    assert by_instance > 0.3 * by_label


@pytest.mark.parametrize(
    "settings",
    [dict(type="PatchProjectionHead", embedding_dim=32, dim=32), dict(type="InnerProductHead", dim=32)],
    ids=lambda settings: settings["type"],
)
@torch.no_grad()
def test_scores_differ_with_the_instance_about_as_with_the_label(settings):
    torch.manual_seed(0)
    maps = torch.randn(1, 16, 4, 4)
    features = {"map": maps.expand(10, -1, -1, -1), "pooled": maps.mean((2, 3)).expand(10, -1)}
    changes = []
    for sizes, condition in (
        (dict(num_classes=10), Condition(label=torch.arange(10))),
        (dict(num_classes=0, instance_dim=FEATURES), Condition(instance=instances(10))),
    ):
        head = HEADS.build(dict(settings, in_channels=16, **sizes))
        changes.append(change(head(features, condition)["logit"]))
    by_label, by_instance = changes
    assert by_instance > 0.2 * by_label
