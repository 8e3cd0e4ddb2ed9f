"""SeFa's directions for every generator, and walks along them."""

import pytest
import torch

from mmcgan.analysis import sefa_directions, walk
from mmcgan.models.generators import Generator
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

SMALL = {"image_size": 16, "num_classes": 3}
KINDS = {
    "ResNetGenerator": {"base_channels": 4, "latent_dim": 6, "spectral_norm": True},
    "DCGANGenerator": {"base_channels": 4, "latent_dim": 6, "init": "orthogonal"},
    "BigGANGenerator": {"base_channels": 4, "latent_dim": 9, "shared_dim": 4},
    "BigGANDeepGenerator": {"base_channels": 4, "latent_dim": 6, "shared_dim": 4},
    "StyleGAN2Generator": {"channel_base": 64, "max_channels": 8, "latent_dim": 6, "style_dim": 6},
}


def build(kind, **more):
    torch.manual_seed(0)
    return GENERATORS.build(dict(SMALL, type=kind, **KINDS[kind], **more)).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_directions_are_orthonormal_and_move_the_image(kind):
    network = build(kind)
    directions = sefa_directions(network, 2)
    assert (directions.singular_values.diff() <= 0).all()
    torch.testing.assert_close(directions.vectors @ directions.vectors.T, torch.eye(2), atol=1e-5, rtol=0)
    latent, condition = (
        torch.randn(1, 9 if kind == "BigGANGenerator" else 6),
        Condition(label=torch.tensor([1])),
    )
    images = walk(network, latent, condition, directions, [-2.0, 0.0, 2.0])
    assert images.shape == (2, 3, 3, 16, 16)
    still = network(latent, condition)[0]
    torch.testing.assert_close(images[:, 1], still.expand(2, -1, -1, -1), atol=1e-4, rtol=1e-4)
    assert ((images[:, 0] - images[:, 2]).flatten(1).abs().max(1).values > 1e-3).all()


def test_the_first_direction_changes_the_first_feature_map_most():
    network = build("DCGANGenerator")
    strongest, *_, weakest = sefa_directions(network, 6).vectors
    change = [(network.linear.weight @ vector).norm() for vector in (strongest, weakest)]
    values = sefa_directions(network, 6).singular_values
    torch.testing.assert_close(torch.stack(change), values[[0, -1]], rtol=1e-4, atol=1e-5)


def test_only_the_first_chunk_of_a_hierarchical_latent_moves():
    network = build("BigGANGenerator")
    vectors = sefa_directions(network, 3).vectors
    assert vectors.shape == (3, 9) and (vectors[:, network.chunk_dim :] == 0).all()


def test_the_map_of_codes_is_part_of_the_first_one():
    inner = dict(SMALL, type="DCGANGenerator", **KINDS["DCGANGenerator"])
    network = GENERATORS.build(dict(type="CodedGenerator", generator=inner, code_dim=2)).eval()
    first = sefa_directions(network, 1)
    change = network.generator.linear.weight @ network.mix.weight @ first.vectors[0]
    torch.testing.assert_close(change.norm(), first.singular_values[0], rtol=1e-4, atol=1e-5)
    plain = build("DCGANGenerator", code_dim=2)
    assert (sefa_directions(plain, 2).vectors[:, 6:] == 0).all()


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match=r"count of directions must lie in 1\.\.3, got 4"):
        sefa_directions(build("BigGANGenerator"), 4)
    with pytest.raises(ValueError, match="SeFa knows no first map of Generator"):
        sefa_directions(Generator(), 1)
    network = build("DCGANGenerator")
    with pytest.raises(ValueError, match="one latent is moved, got 2"):
        walk(network, torch.zeros(2, 6), Condition(label=torch.zeros(2)), sefa_directions(network, 1), [0.0])
