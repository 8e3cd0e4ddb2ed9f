import pytest
import torch

from mmcgan.models.mapping import LabelMapping, MappingNetwork, normalize_second_moment
from mmcgan.models.random_source import RandomSource, connect_random_sources
from mmcgan.random import RandomStreams
from mmcgan.structures import Condition


def test_rows_get_a_mean_square_of_one():
    x = normalize_second_moment(torch.randn(4, 9) * 100)
    torch.testing.assert_close(x.square().mean(1), torch.ones(4))
    assert normalize_second_moment(torch.zeros(1, 9)).isfinite().all()


def test_the_length_of_the_latent_does_not_matter():
    network = MappingNetwork(5, 4, 2)
    latent = torch.randn(3, 5)
    torch.testing.assert_close(network(latent, None), network(latent * 7, None))


def test_parts_of_the_condition_are_normalised_jointly():
    network = MappingNetwork(5, 4, 2, num_classes=3, instance_dim=6, label_dim=2, instance_embedding_dim=7)
    condition = Condition(label=torch.tensor([0, 2]), instance=torch.randn(2, 6))
    embedding = network.embed(condition)
    assert embedding.shape == (2, 9)
    torch.testing.assert_close(embedding.square().mean(1), torch.ones(2))
    assert not torch.allclose(embedding[:, :2].square().mean(1), torch.ones(2), atol=1e-3)
    assert network.layers[0].in_features == 5 + 9


def test_a_condition_alone_can_be_mapped():
    rows = LabelMapping(3, 4)
    table = rows(torch.tensor([0, 1, 2, 0]))
    torch.testing.assert_close(table[0], table[3])
    assert (table[0] - table[1]).abs().max() > 1e-4


def test_something_must_be_mapped():
    with pytest.raises(ValueError, match="needs a latent_dim or a part of the condition above 0"):
        MappingNetwork(0, 4)


def test_a_source_alone_starts_from_a_fixed_seed_and_goes_on():
    device = torch.device("cpu")
    first, second = RandomSource(), RandomSource()
    draws = [torch.rand(3, generator=first.local("noise", device)) for _ in range(2)]
    assert (draws[0] != draws[1]).any()
    torch.testing.assert_close(torch.rand(3, generator=second.local("noise", device)), draws[0])
    assert (torch.rand(3, generator=second.shared("noise, other")) != draws[0]).any()


def test_connected_sources_follow_the_iteration():
    module = torch.nn.Module()
    module.random_source = RandomSource()
    streams = RandomStreams(3)
    connect_random_sources(module, streams)
    streams.start(8)
    drawn = torch.rand(3, generator=module.random_source.shared("noise"))
    torch.testing.assert_close(
        torch.rand(3, generator=RandomStreams(3)["noise"]) == drawn, torch.zeros(3) == 1
    )
    streams.start(8)
    torch.testing.assert_close(torch.rand(3, generator=streams["noise"]), drawn)
