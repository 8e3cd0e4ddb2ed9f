"""The SPADE generator: published sizes, what the map and z decide, and its encoder."""

import pytest
import torch

from mmcgan.models.encoder import SPADEEncoder
from mmcgan.models.generators import SPADEGenerator
from mmcgan.structures import Condition

CITYSCAPES = dict(image_size=(256, 512), upsampling="more")


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        (dict(**CITYSCAPES, num_map_classes=35, has_edges=True), 93_048_003),
        (dict(**CITYSCAPES, num_map_classes=35), 93_018_051),
        (dict(**CITYSCAPES, num_map_classes=35, has_edges=True, latent_dim=256), 101_136_579),
        (dict(image_size=256, num_map_classes=183, has_edges=True, latent_dim=256), 112_626_883),
        (dict(image_size=256, num_map_classes=151), 96_492_483),
    ],
)
def test_full_size_networks_have_the_published_parameters(settings, parameters):
    with torch.device("meta"):
        generator = SPADEGenerator(**settings)
    assert sum(parameter.numel() for parameter in generator.parameters()) == parameters


def test_the_encoder_has_the_published_parameters():
    with torch.device("meta"):
        encoder = SPADEEncoder()
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 10_463_424


def tiny(**settings):
    given = dict(image_size=(32, 64), num_map_classes=3, base_channels=2, hidden_channels=4)
    torch.manual_seed(0)
    return SPADEGenerator(**(given | settings))


def maps(size=2, height=32, width=64, classes=3):
    return Condition(label_map=torch.randint(classes, (size, height, width)))


@pytest.mark.parametrize(("upsampling", "size"), [("normal", 32), ("more", (64, 128)), ("most", 128)])
def test_every_depth_makes_its_size(upsampling, size):
    generator = tiny(image_size=size, upsampling=upsampling, base_channels=1).eval()
    height, width = (size, size) if isinstance(size, int) else size
    with torch.no_grad():
        image = generator(torch.empty(1, 0), maps(1, height, width))
    assert image.shape == (1, 3, height, width)
    assert image.abs().max() <= 1


def test_without_a_latent_the_map_decides_all():
    generator = tiny(init="orthogonal").eval()
    condition = maps()
    first, second = generator(torch.empty(2, 0), condition), generator(torch.empty(2, 0), condition)
    assert generator.latent_dim == 0 and torch.equal(first, second)
    assert not torch.allclose(first, generator(torch.empty(2, 0), maps()), atol=1e-3)


def test_a_latent_and_edges_change_the_image():
    generator = tiny(latent_dim=5, has_edges=True, init="orthogonal").eval()
    label_map = maps().label_map
    edges = torch.zeros_like(label_map, dtype=torch.bool)
    plain, bordered = (
        Condition(label_map=label_map, edge_map=edges),
        Condition(label_map=label_map, edge_map=~edges),
    )
    z = torch.randn(2, 5)
    image = generator(z, plain)
    assert not torch.allclose(image, generator(-z, plain), atol=1e-3)
    assert not torch.allclose(image, generator(z, bordered), atol=1e-3)


def test_an_encoded_latent_is_mean_plus_deviation_times_noise():
    generator = tiny(latent_dim=5, encoder=dict(base_channels=2, side=16))
    image, noise = torch.rand(2, 3, 32, 64) * 2 - 1, torch.randn(2, 5)
    latent, law = generator.eval().encode(image, noise)
    torch.testing.assert_close(latent, law["mean"] + (law["log_variance"] / 2).exp() * noise)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(image_size=(32, 48)), "'normal' needs height and width that are multiples of 32, got 32 x 48"),
        (dict(upsampling="more"), "multiples of 64, got 32 x 64"),
        (dict(upsampling="much"), "no upsampling 'much'. Known: more, most, normal"),
        (dict(num_map_classes=0), "num_map_classes must be at least 1, got 0"),
        (dict(encoder={}), "encoder: there is no latent to encode into"),
        (dict(latent_dim=4, encoder=dict(side=24)), "side must be 8, 16, 32, ... pixels, got 24"),
        (dict(latent_dim=4, encoder=dict(width=3)), "encoder: .*'width'"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        tiny(**settings)


def test_a_map_with_unknown_ids_is_refused():
    with pytest.raises(ValueError, match=r"class ids \[3\]; allowed are 0..2"):
        tiny().embed(Condition(label_map=torch.full((1, 32, 64), 3)))


def test_channels_of_ones_own_choice():
    generator = tiny(channels=(8, 8, 7, 6, 6, 5, 4, 3))
    widths = [(block.conv1.in_channels, block.conv2.out_channels) for block in generator.blocks]
    assert widths == [(8, 8), (8, 7), (7, 6), (6, 6), (6, 5), (5, 4), (4, 3)]
    assert generator.output_conv.in_channels == 3
    with pytest.raises(ValueError, match=r"channels must be 8 positive numbers.*got \(8, 8\)"):
        tiny(channels=(8, 8))
