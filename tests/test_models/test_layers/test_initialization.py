import pytest
import torch
from torch import nn

from mmcgan.models.layers import ConditionalBatchNorm, activation, initialize


def network():
    return nn.Sequential(
        nn.Conv2d(8, 16, 3), nn.ConvTranspose2d(4, 8, 3), nn.Linear(40, 30), nn.Embedding(5, 20)
    )


def test_orthogonal():
    torch.manual_seed(0)
    for layer in initialize(network(), "orthogonal"):
        matrix = layer.weight.detach().flatten(1)
        gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
        torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0)


def test_normal_and_xavier_scales():
    torch.manual_seed(0)
    assert initialize(nn.Linear(300, 200), "normal").weight.detach().std() == pytest.approx(0.02, rel=0.02)
    bound = (6 / 500) ** 0.5
    weight = initialize(nn.Linear(300, 200), "xavier").weight.detach()
    assert weight.abs().max() <= bound
    assert weight.detach().std() == pytest.approx(bound / 3**0.5, rel=0.02)


def test_biases_stay_unless_asked():
    layer = nn.Linear(4, 3)
    before = layer.bias.detach().clone()
    assert torch.equal(initialize(layer, "normal").bias, before)
    assert torch.equal(initialize(layer, "normal", zero_bias=True).bias, torch.zeros(3))


def test_tables_of_gains_start_at_one():
    layer = ConditionalBatchNorm(4, 3, encoding="label", unit_gain=False)
    initialize(layer, "orthogonal")
    assert torch.equal(layer.gain.weight, torch.ones(3, 4))


def test_unknown_names():
    with pytest.raises(ValueError, match=r"unknown scheme 'ortogonal'.*'orthogonal'"):
        initialize(nn.Linear(2, 2), "ortogonal")
    with pytest.raises(ValueError, match=r"unknown name 'rely'.*'relu'"):
        activation("rely")


def test_leaky_slopes_are_part_of_the_name():
    layer = activation("leaky_relu_0.01")
    assert layer(torch.tensor([-2.0, 3.0])).tolist() == pytest.approx([-0.02, 3])
