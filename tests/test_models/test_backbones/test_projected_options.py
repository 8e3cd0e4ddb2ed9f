"""Options of projected discriminators that cannot be, or not together: named, not obeyed."""

import pytest
import torch
from mmengine.registry import init_default_scope

from mmcgan.hooks.schedule import ScheduleHook
from mmcgan.models.backbones import ProjectedBackbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.registry import MODELS
from mmcgan.structures import Condition
from tests.test_models.test_backbones.test_projected import SMALL, each


def model(augment=None, **changes):
    init_default_scope("mmcgan")
    backbone = dict(type="ProjectedBackbone", **{**SMALL, **changes})
    return MODELS.build(
        dict(
            type="ConditionalGAN",
            generator=dict(
                type="DCGANGenerator", image_size=16, base_channels=4, latent_dim=4, num_classes=0
            ),
            discriminator=dict(backbone=backbone, heads=each(dict(type="AdversarialHead"))),
            losses=dict(adversarial=dict(type="HingeLoss")),
            condition_sampler=dict(type="ConstantLabel", label=0),
            augment=augment,
        )
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(input_size=0), "sizes must be at least 1, got 16, 0"),
        (dict(input_size=-8), "sizes must be at least 1, got 16, -8"),
        (dict(end_size=0), "end_size must be at least 1, got 0"),
        (dict(end_size=-4), "end_size must be at least 1, got -4"),
    ],
)
def test_sizes_that_cannot_be_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        ProjectedBackbone(**{**SMALL, **changes})


@pytest.mark.parametrize(
    "augment", [dict(type="DiffAugment"), dict(type="ADA", p=0.5), dict(type="Blur", sigma=1.0)]
)
def test_a_cache_of_images_behind_an_augmentation_is_refused(augment):
    said = rf"behind {augment['type']} no batch comes again.*\(cache_megabytes\).*Leave out one"
    with pytest.raises(ValueError, match=said):
        model(augment, cache_megabytes=1)
    model(augment)
    model(None, cache_megabytes=1)


@pytest.mark.parametrize("head", [dict(type="PatchHead"), dict(type="PatchProjectionHead", num_classes=3)])
def test_a_kernel_larger_than_the_maps_is_named(head):
    heads = each(dict(head, kernel_size=9, padding=0))
    network = Discriminator(dict(type="ProjectedBackbone", **SMALL), heads)
    with pytest.raises(
        ValueError, match=r"kernel_size=9 with padding=0 is larger than 'map', which is 4 x 4"
    ):
        network(torch.rand(2, 3, 16, 16), Condition(label=torch.tensor([0, 1])))


@pytest.mark.parametrize("value", [dict(start=0.0, end=2.0), dict(start=-0.1, end=1.0)])
def test_a_condition_weight_out_of_range_is_named_before_training(value):
    with pytest.raises(ValueError, match="condition_weight cannot be"):
        ScheduleHook(dict(condition_weight=dict(kind="linear", until=10, **value)))
