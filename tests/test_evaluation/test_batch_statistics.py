import pytest
import torch
from torch import nn

from mmcgan.evaluation.statistics.batch_statistics import (
    BatchStatistics,
    accumulate_statistics,
    batch_norms,
    evaluation_statistics,
)
from mmcgan.structures import Condition


class Network(nn.Module):
    """A batch norm that sees the latent; ``seen`` are its inputs."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(2, momentum=0.1)
        self.seen = []

    def forward(self, latent, condition):
        self.seen.append(latent)
        return self.norm(latent[:, :, None, None].expand(-1, -1, 2, 2))


def draw(size, generator):
    label = torch.zeros(size, dtype=torch.int64)
    return 3 + 2 * torch.randn(size, 2, generator=generator), Condition(label=label)


def image_of(network, latent):
    return network.eval()(latent, Condition())


@pytest.fixture()
def network():
    network = Network()
    network.norm.running_mean.fill_(7.0)  # of some training long ago
    return network


def test_average_is_the_mean_of_the_batches_statistics(network):
    rule = BatchStatistics("average", steps=5, batch_size=32)
    with evaluation_statistics(network, rule, draw):
        assert not network.training
        mean = torch.stack([batch.mean(dim=0) for batch in network.seen]).mean(dim=0)
        variance = torch.stack([b.repeat(4, 1).var(dim=0) for b in network.seen]).mean(dim=0)
        torch.testing.assert_close(network.norm.running_mean, mean)
        torch.testing.assert_close(network.norm.running_var, variance)
        assert [len(batch) for batch in network.seen] == [32] * 5


def test_exponential_starts_from_a_reset_and_draws_sizes(network):
    rule = BatchStatistics("exponential", steps=6, batch_size=9, random_sizes=True)
    with evaluation_statistics(network, rule, draw):
        expected = torch.zeros(2)
        for batch in network.seen:
            expected = 0.9 * expected + 0.1 * batch.mean(dim=0)
        torch.testing.assert_close(network.norm.running_mean, expected)
        assert {1 <= len(batch) <= 9 for batch in network.seen} == {True}
        assert len({len(batch) for batch in network.seen}) > 1


def test_batch_statistics_normalise_each_batch_by_itself(network):
    latent, condition = draw(16, torch.Generator().manual_seed(1))
    with evaluation_statistics(network, BatchStatistics("batch"), draw):
        image = network.eval()(latent, condition)
        assert image.mean(dim=(0, 2, 3)).abs().max() < 1e-5
        assert float(network.norm.running_mean[0]) == 7.0
    assert image_of(network, latent).mean() < -1  # back to the statistics of training


@pytest.mark.parametrize("rule", ["running", "average", "exponential", "batch"])
def test_afterwards_the_network_is_as_it_was(network, rule):
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with evaluation_statistics(network, BatchStatistics(rule, steps=2, batch_size=4), draw):
        image_of(network, torch.randn(4, 2))
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, before[key], msg=key)
    assert network.norm.momentum == 0.1 and network.norm.track_running_stats and not network.training


def test_the_same_seed_gives_the_same_statistics(network):
    found = []
    for seed in (0, 0, 1):
        with evaluation_statistics(network, BatchStatistics("average", 2, 8, seed=seed), draw):
            found.append(network.norm.running_mean.clone())
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_a_network_without_batch_norm_is_never_run():
    network = nn.Linear(2, 2)
    assert batch_norms(network) == []
    accumulate_statistics(network, [lambda: pytest.fail("it was run")])


def test_bad_options_are_named():
    with pytest.raises(ValueError, match="rule='standing': choose one of running, average"):
        BatchStatistics("standing")
    with pytest.raises(ValueError, match="steps and batch_size must be at least 1, got 0 and 64"):
        BatchStatistics("average", steps=0)
    assert BatchStatistics().describe() == {"rule": "running"}
    assert BatchStatistics("average", 3).describe()["steps"] == 3
