"""Every convolutional generator can carry an implicit output layer."""

import pytest
import torch

from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

NETWORKS = {
    "BigGANGenerator": {"latent_dim": 24, "shared_dim": 4},
    "BigGANDeepGenerator": {"latent_dim": 8, "shared_dim": 4},
    "ResNetGenerator": {"latent_dim": 8},
    "DCGANGenerator": {"latent_dim": 8},
}
IMPLICIT = {"hidden": (8, 8)}


def build(name, **options):
    torch.manual_seed(0)
    settings = {"image_size": 16, "num_classes": 3, "base_channels": 4, **NETWORKS[name], **options}
    return GENERATORS.build({"type": name, **settings}).eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_any_size_and_window(name):
    generator = build(name, implicit=IMPLICIT)
    latent, condition = torch.randn(2, generator.latent_dim), Condition(label=torch.tensor([0, 2]))
    with torch.no_grad():
        assert generator(latent, condition).shape == (2, 3, 16, 16)
        wide = generator(latent, condition, size=(24, 50))
        part = generator(latent, condition, size=(24, 50), window=(2, 3, 10, 20))
    assert wide.shape == (2, 3, 24, 50)
    torch.testing.assert_close(part, wide[:, :, 2:12, 3:23])


@pytest.mark.parametrize("name", NETWORKS)
def test_other_sizes_need_the_implicit_layer(name):
    generator = build(name)
    latent, condition = torch.randn(1, generator.latent_dim), Condition(label=torch.tensor([0]))
    assert generator(latent, condition, size=(16, 16)).shape == (1, 3, 16, 16)
    with pytest.raises(ValueError, match="makes images of 16 x 16 only"):
        generator(latent, condition, size=(32, 32))
    with pytest.raises(ValueError, match="implicit"):
        build(name, implicit={"hiden": (8,)})


@pytest.mark.parametrize(("image_size", "count"), [(128, 70_524_228), (256, 82_198_788)])
def test_published_size(image_size, count):
    """Table 2: 70.52 M and 82.19 M; exactly those of the released code."""
    with torch.device("meta"):
        generator = GENERATORS.build(
            {
                "type": "BigGANGenerator",
                "image_size": image_size,
                "num_classes": 1000,
                "base_channels": 96,
                "latent_dim": 120,
                "implicit": {"hidden": (96, 96)},
            }
        )
    assert sum(parameter.numel() for parameter in generator.parameters()) == count
