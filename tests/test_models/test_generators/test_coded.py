"""Codes mixed into the latent of another generator."""

import pytest
import torch

from mmcgan.models.generators import CodedGenerator
from mmcgan.structures import Condition

INNER = dict(
    type="BigGANGenerator", image_size=16, num_classes=3, base_channels=2, latent_dim=9, shared_dim=4
)


def test_codes_reach_every_chunk_of_a_hierarchical_latent():
    model = CodedGenerator(dict(INNER), code_dim=3)
    assert model.latent_dim == model.generator.latent_dim + 3 and model.requires == ("label",)
    latent = torch.zeros(2, model.latent_dim)
    latent[1, -1] = 1.0
    chunks = (model.mix(latent)[1] - model.mix(latent)[0]).view(-1, model.generator.chunk_dim)
    assert (chunks.abs().max(1).values > 1e-4).all()


def test_it_is_the_generator_behind_a_linear_map():
    model = CodedGenerator(dict(INNER), code_dim=3).eval()
    latent, condition = torch.randn(2, model.latent_dim), Condition(label=torch.tensor([0, 2]))
    image = model(latent, condition)
    assert torch.equal(image, model.generator(model.mix(latent), condition))
    assert torch.allclose(image, model.synthesize(latent, model.embed(condition)))


def test_no_codes_are_refused():
    with pytest.raises(ValueError, match="CodedGenerator: code_dim must be at least 1, got 0"):
        CodedGenerator(dict(INNER), code_dim=0)
