import pytest
import torch

from mmcgan.models.layers import BatchNormOptions, ConditionalBatchNorm, PlainBatchNorm
from mmcgan.models.layers.normalization import batch_norm, batch_norm_options


def normalised(x, eps=1e-5):
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
    return (x - mean) / (variance + eps).sqrt()


@pytest.mark.parametrize("unit_gain", [True, False])
def test_vector_formula(unit_gain):
    torch.manual_seed(0)
    layer = ConditionalBatchNorm(4, 3, unit_gain=unit_gain)
    x, c = torch.randn(5, 4, 2, 2), torch.randn(5, 3)
    gain, bias = c @ layer.gain.weight.T + unit_gain, c @ layer.bias.weight.T
    expected = normalised(x) * gain[..., None, None] + bias[..., None, None]
    torch.testing.assert_close(layer(x, c), expected)


def test_label_and_one_hot_are_the_same_function():
    torch.manual_seed(0)
    table = ConditionalBatchNorm(4, 6, encoding="label")
    maps = ConditionalBatchNorm(4, 6, encoding="one_hot")
    maps.gain.weight.data.copy_(table.gain.weight.T)
    maps.bias.weight.data.copy_(table.bias.weight.T)
    x, label = torch.randn(3, 4, 2, 2), torch.tensor([5, 0, 2])
    torch.testing.assert_close(table(x, label), maps(x, label))


def test_each_row_gets_its_own_class():
    layer = ConditionalBatchNorm(2, 3, encoding="label").eval()
    torch.nn.init.zeros_(layer.gain.weight)
    layer.bias.weight.data.copy_(torch.tensor([[0.0, 0], [1, 10], [2, 20]]))
    out = layer(torch.zeros(3, 2, 1, 1), torch.tensor([2, 0, 1])).flatten(1)
    assert out.tolist() == [[2, 20], [0, 0], [1, 10]]


def test_gain_without_one_starts_as_the_identity():
    layer = ConditionalBatchNorm(4, 6, encoding="label", unit_gain=False)
    layer.reset_affine()
    x = torch.randn(3, 4, 2, 2)
    torch.testing.assert_close(layer(x, torch.tensor([5, 0, 2])), normalised(x))


@pytest.mark.parametrize("biased", [True, False])
def test_running_variance(biased):
    torch.manual_seed(0)
    layer = batch_norm(3, BatchNormOptions(momentum=0.3, biased_variance=biased))
    x = torch.randn(2, 3, 2, 1)
    torch.testing.assert_close(layer(x), normalised(x))
    variance = x.var((0, 2, 3), correction=0 if biased else 1)
    torch.testing.assert_close(layer.running_var, 0.7 + 0.3 * variance)
    torch.testing.assert_close(layer.running_mean, 0.3 * x.mean((0, 2, 3)))


def test_biased_norm_without_tracking_moves_nothing():
    layer = batch_norm(3, BatchNormOptions(biased_variance=True))
    layer.track_running_stats = False
    layer(torch.randn(4, 3, 2, 2))
    assert torch.equal(layer.running_var, torch.ones(3))
    assert layer.num_batches_tracked == 0


@pytest.mark.parametrize("conditional", [True, False])
def test_added_gain_reproduces_the_peers_bug(conditional):
    torch.manual_seed(0)
    options = BatchNormOptions(add_gain=True)
    x, c = torch.randn(4, 3, 2, 2), torch.randn(4, 2)
    if conditional:
        layer = ConditionalBatchNorm(3, 2, options=options)
        gain, bias = 1 + c @ layer.gain.weight.T, c @ layer.bias.weight.T
    else:
        layer = PlainBatchNorm(3, options)
        torch.nn.init.uniform_(layer.norm.weight)
        torch.nn.init.uniform_(layer.norm.bias)
        gain, bias = layer.norm.weight[None], layer.norm.bias[None]
    torch.testing.assert_close(layer(x, c), normalised(x) + (gain + bias)[..., None, None])


def test_gradient_reaches_the_condition():
    torch.manual_seed(0)
    layer = ConditionalBatchNorm(2, 3, spectral_norm=True).double().eval()
    x, c = torch.randn(2, 2, 2, 2).double(), torch.randn(2, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda c: layer(x, c), (c,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoding": "labels"}, r"encoding must be one of .*'label'.* got 'labels'"),
        ({"condition_dim": 0}, "condition_dim >= 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConditionalBatchNorm(4, **{"condition_dim": 3, **arguments})


def test_a_misspelt_option_is_named():
    with pytest.raises(ValueError, match=r"unknown option 'epsilon'.*eps"):
        batch_norm_options({"epsilon": 1e-4})
