"""Options of projected discriminators that cannot be, or not together: named, not obeyed."""

import pytest
import timm
import torch
from mmengine.registry import init_default_scope

from mmcgan.hooks.schedule import ScheduleHook
from mmcgan.models.backbones import ProjectedBackbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.registry import MODELS
from mmcgan.structures import Condition
from tests.test_models.test_backbones.test_projected import SMALL, each


def model(augment=None, heads=None, **changes):
    init_default_scope("mmcgan")
    backbone = dict(type="ProjectedBackbone", **{**SMALL, **changes})
    return MODELS.build(
        dict(
            type="ConditionalGAN",
            generator=dict(
                type="DCGANGenerator", image_size=16, base_channels=4, latent_dim=4, num_classes=0
            ),
            discriminator=dict(backbone=backbone, heads=heads or each(dict(type="AdversarialHead"))),
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


WIDE = dict(type="EfficientNetLite0", pretrained=False)


@pytest.mark.parametrize(("size", "seen"), [(1, None), (8, r"\[2, 4, 8\]"), (24, r"\[2, 4, 8, 16\]")])
def test_an_input_smaller_than_the_networks_stride_is_named(size, seen):
    said = f"has a map of stride 32, and an input of {size} pixels is smaller than that: .* at least 32"
    with pytest.raises(ValueError, match=said + (f", or strides={seen}" if seen else "$")):
        ProjectedBackbone(16, WIDE, input_size=size, end_size=1)


def test_strides_are_the_networks_own_also_on_few_pixels():
    backbone = ProjectedBackbone(16, WIDE, strides=(4, 8), input_size=16, end_size=1, max_channels=8)
    assert list(backbone.frozen.shapes) == [2, 4, 8, 16]
    with pytest.raises(ValueError, match=r"strides=\[8, 32\]: .* strides \[2, 4, 8, 16\] at an input of 16"):
        ProjectedBackbone(16, WIDE, strides=(8, 32), input_size=16, end_size=1)
    assert [backbone.frozen.shapes[stride] for stride in (4, 8)] == [(24, 4), (40, 2)]


@pytest.mark.parametrize(
    "changes",
    [dict(), dict(end_size=2), dict(down_blocks=(3, 1)), dict(separable=True), dict(patch=True)],
)
def test_sides_of_maps_are_known_before_there_are_any(changes):
    backbone = ProjectedBackbone(**{**SMALL, **changes})
    found = backbone(torch.rand(2, 3, 16, 16))
    assert backbone.map_sides == {name: x.shape[-1] for name, x in found.items() if name.startswith("map")}


@pytest.mark.parametrize(
    ("head", "end_size", "least"),
    [
        (dict(type="PatchHead", kernel_size=5, padding=0), 4, 5),
        (dict(type="PatchHead", kernel_size=7, padding=1), 4, 5),
        (dict(type="PatchProjectionHead", num_classes=3, kernel_size=4, padding=0), 2, 4),
        (dict(type="OnWindows", kernel_size=3, head=dict(type="AdversarialHead")), 2, 3),
    ],
)
def test_a_kernel_that_no_map_can_hold_is_named_when_the_model_is_built(head, end_size, least):
    model(heads=each(dict(type="PatchHead", kernel_size=end_size, padding=0)), end_size=end_size)
    said = (
        f"heads.adv: the kernel of EachScale needs a map of at least {least} x {least} positions, and "
        f"'map_0' of ProjectedBackbone has {end_size} x {end_size}: .*end_size"
    )
    with pytest.raises(ValueError, match=said):
        model(heads=each(head), end_size=end_size)


def test_any_network_of_timm_can_be_looked_through(tmp_path):
    torch.manual_seed(0)
    torch.save(timm.create_model("test_resnet", pretrained=False).state_dict(), tmp_path / "weights.pth")
    network = dict(type="TimmExtractor", model="test_resnet", weights=str(tmp_path / "weights.pth"))
    backbone = ProjectedBackbone(32, network, strides=(4, 8), input_size=32, end_size=4, max_channels=8)
    image = torch.rand(2, 3, 32, 32, requires_grad=True)
    found = backbone(image)
    assert {name: x.shape[-1] for name, x in found.items() if name.startswith("map")} == backbone.map_sides
    found["pooled"].sum().backward()
    assert image.grad.abs().sum() > 0
