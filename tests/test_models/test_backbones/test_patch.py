"""The PatchGAN backbone: published sizes, scales, and what it sees."""

import pytest
import torch
import torch.nn.functional as F

from mmcgan.label_maps import resize_label_map
from mmcgan.models.backbones import PatchBackbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.structures import Condition

IMAGE = torch.rand(2, 3, 24, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1
CONDITION = Condition(
    label_map=torch.randint(3, (2, 24, 40), generator=torch.Generator().manual_seed(1)),
    edge_map=torch.zeros(2, 24, 40, dtype=torch.bool),
)


def discriminator(heads=("map", "map_1"), **settings):
    torch.manual_seed(0)
    return Discriminator(
        backbone=dict(type="PatchBackbone", **settings),
        heads={
            f"patch_{i}": dict(type="PatchHead", feature=name, kernel_size=4, spectral_norm=False)
            for i, name in enumerate(heads)
        },
        init="xavier_0.02",
    )


@pytest.mark.parametrize(
    ("classes", "edges", "parameters"),
    [(35, True, 5_601_410), (35, False, 5_599_362), (183, True, 5_904_514), (151, False, 5_836_930)],
)
def test_full_size_networks_have_the_published_parameters(classes, edges, parameters):
    with torch.device("meta"):
        network = discriminator(num_map_classes=classes, has_edges=edges)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_every_scale_sees_half_the_size_of_the_one_before():
    network = discriminator(num_map_classes=3, base_channels=2, num_layers=3)
    outputs = network(IMAGE, CONDITION)
    # 4x4 with padding 2: h // 2 + 1 with stride 2, h + 1 with stride 1
    assert outputs["feature.layer_0_0"].shape == (2, 2, 13, 21)
    assert outputs["feature.layer_0_2"].shape == outputs["feature.map"].shape == (2, 8, 8, 12)
    assert outputs["feature.layer_1_0"].shape == (2, 2, 7, 11)
    assert outputs["patch_0.logit"].shape == (2, 9, 13)
    assert sorted(outputs) == sorted(network.emits)
    pooled = F.avg_pool2d(IMAGE, 3, stride=2, padding=1, count_include_pad=False)
    alone = discriminator(("map",), num_map_classes=0, base_channels=2, num_layers=3, num_scales=2)
    first = alone.backbone.blocks[1][0]
    torch.testing.assert_close(alone(IMAGE, Condition())["feature.layer_1_0"], first(pooled))


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_with_an_odd_kernel_a_position_looks_at_the_pixel_of_its_label(num_layers):
    """The gradient of a score is symmetric around the pixel whose id the resized label map has there."""
    settings = dict(num_map_classes=0, base_channels=2, num_layers=num_layers, norm="none", kernel_size=3)
    torch.manual_seed(0)
    network = PatchBackbone(**settings, spectral_norm=None).double()
    for layer in network.modules():
        if isinstance(
            layer, torch.nn.Conv2d
        ):  # positive everywhere: no layer hides a pixel, none shifts the sum
            torch.nn.init.constant_(layer.weight, 0.1)
    places = torch.arange(64).expand(64, 64)[None]
    for name in ("map", "map_1"):
        image = torch.ones(1, 3, 64, 64, dtype=torch.float64, requires_grad=True)
        scores = network(image)[name]
        labels = resize_label_map(places, scores.shape[2:])[0, 0]
        middle = scores.shape[3] // 2
        scores[0, 0, middle, middle].backward()
        seen = image.grad[0].sum((0, 1))
        centre = (seen * torch.arange(64)).sum() / seen.sum()
        assert abs(centre.item() - labels[middle].item()) < 0.51
        assert (
            scores.shape[3]
            == len(labels)
            == 64 // (2 if num_layers < 3 else 4) // (2 if name == "map_1" else 1)
        )


def test_map_and_edges_are_seen_or_asked_for():
    network = discriminator(num_map_classes=3, has_edges=True, base_channels=2, num_layers=2)
    logit = network(IMAGE, CONDITION)["patch_0.logit"]
    for name in ("label_map", "edge_map"):
        other = {**CONDITION.present(), name: 1 - CONDITION.present()[name].long()}
        other = Condition(label_map=other["label_map"].clamp(0, 2), edge_map=other["edge_map"].bool())
        assert not torch.allclose(network(IMAGE, other)["patch_0.logit"], logit, atol=1e-5)
    with pytest.raises(
        ValueError, match=r"backbone needs condition.\['edge_map'\], present: \['label_map'\]"
    ):
        network(IMAGE, Condition(label_map=CONDITION.label_map))
    blind = discriminator(num_map_classes=0, has_edges=True, base_channels=2, num_layers=2)
    assert blind.requires == []


def test_what_is_emitted_is_known_before_it_is_built():
    for settings in (dict(), dict(num_scales=3, num_layers=2)):
        built = PatchBackbone(2, 1, **settings)
        assert PatchBackbone.emits_with(settings) == built.emits


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="num_scales must be at least 1, got 0"):
        PatchBackbone(3, num_scales=0)
    with pytest.raises(ValueError, match="kernel_size must be at least 1, got 0"):
        PatchBackbone(3, kernel_size=0)
    with pytest.raises(ValueError, match=r"no norm 'instanse'.*'instance'"):
        PatchBackbone(3, norm="instanse")
