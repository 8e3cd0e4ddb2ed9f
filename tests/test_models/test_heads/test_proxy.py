"""The proxy head: lengths, which row of the table, what is refused."""

import pytest
import torch

from mmcgan.models.heads import ProxyHead
from mmcgan.structures import Condition

FEATURES = {"pooled": torch.randn(4, 6, generator=torch.Generator().manual_seed(0))}
CONDITION = Condition(label=torch.tensor([2, 0, 2, 1]))


def test_embeddings_and_proxies_have_unit_length():
    outputs = ProxyHead(6, 3, embed_dim=5)(FEATURES, CONDITION)
    assert outputs["embed"].shape == outputs["proxy"].shape == (4, 5)
    for value in outputs.values():
        assert torch.allclose(value.norm(dim=1), torch.ones(4), atol=1e-6)


def test_without_normalisation_they_are_the_linear_map_and_the_row_of_the_label():
    head = ProxyHead(6, 3, embed_dim=5, spectral_norm=False, normalize=False)
    outputs = head(FEATURES, CONDITION)
    assert torch.equal(outputs["proxy"], head.embed.weight[CONDITION.label])
    assert torch.equal(outputs["embed"], head.linear(FEATURES["pooled"]))


def test_a_dead_feature_gives_finite_embeddings():
    head = ProxyHead(6, 3, embed_dim=5, spectral_norm=False)
    torch.nn.init.zeros_(head.linear.bias)
    features = {"pooled": torch.zeros(4, 6, requires_grad=True)}
    embed = head(features, CONDITION)["embed"]
    embed.sum().backward()
    assert torch.isfinite(embed).all() and torch.isfinite(features["pooled"].grad).all()


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="ProxyHead: num_classes must be at least 1, got 0"):
        ProxyHead(6, 0)
    with pytest.raises(ValueError, match="ProxyHead: embed_dim must be at least 1, got 0"):
        ProxyHead(6, 3, embed_dim=0)
