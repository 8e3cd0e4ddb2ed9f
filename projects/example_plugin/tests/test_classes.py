"""Every class of the plugin keeps what mmcgan asks of its role; see docs/extending/testing.md."""

import mmcgan_example  # noqa: F401  (registers the classes, where the plugin is not installed)
import pytest
import torch

from mmcgan import testing
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


def test_generator():
    testing.check_generator(dict(type="PerceptronGenerator", image_size=16, num_classes=2))


def test_backbone():
    testing.check_backbone(dict(type="TwoConvolutions", base_channels=8))


def test_head():
    testing.check_head(dict(type="CosineHead", num_classes=2))


def test_a_head_scores_within_one():
    head = HEADS.build(dict(type="CosineHead", in_channels=4, num_classes=2))
    condition = Condition(label=torch.tensor([0, 1, 1]))
    assert head({"pooled": 100 * torch.randn(3, 4)}, condition)["similarity"].abs().max() <= 1 + 1e-6


def test_loss():
    testing.check_loss(dict(type="LogisticLoss"), {"score": torch.linspace(-1, 1, 5)})


def test_regularizer():
    testing.check_regularizer(dict(type="SmallLogits"))


def test_augment():
    testing.check_augment(dict(type="RandomBrightness"))


def test_laws():
    testing.check_latent_sampler(dict(type="TwoClouds"))
    testing.check_condition_sampler(dict(type="ZipfLabel", num_classes=2))


def test_condition_field():
    testing.check_condition_field("joints")


@pytest.mark.parametrize("size", [2, 65])
def test_dataset(size):
    testing.check_dataset(dict(type="Stripes", size=size))


def test_extractor_metric_and_hook():
    testing.check_extractor(dict(type="RandomFeatures"))
    testing.check_metric(dict(type="FeatureSpread"))
    testing.check_hook(dict(type="PrintLossHook", interval=1))
