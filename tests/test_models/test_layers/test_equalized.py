import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmcgan.models.layers import linear
from mmcgan.models.layers.equalized import EqualizedConv2d, EqualizedLinear
from mmcgan.models.mapping import equalize


def test_scaled_at_run_time_to_unit_variance():
    torch.manual_seed(0)
    layer = EqualizedLinear(400, 300, lr_mult=0.01)
    assert layer.weight.std().item() == pytest.approx(100, rel=0.02)  # N(0, 1) over the multiplier
    assert layer(torch.randn(50, 400)).std().item() == pytest.approx(1, rel=0.05)


def test_the_multiplier_slows_weight_and_bias_alike():
    slow, fast = EqualizedLinear(4, 3, lr_mult=0.1, bias_init=1.0), EqualizedLinear(4, 3, bias_init=1.0)
    fast.weight.data.copy_(slow.weight.data * 0.1)
    x = torch.randn(5, 4)
    torch.testing.assert_close(slow(x), fast(x))
    for layer in (slow, fast):
        layer(x).square().sum().backward()
    torch.testing.assert_close(slow.weight.grad, fast.weight.grad * 0.1)
    torch.testing.assert_close(slow.bias.grad, fast.bias.grad * 0.1)


def test_convolution_is_the_plain_one_of_the_scaled_weight():
    layer = EqualizedConv2d(3, 4, 3)
    layer.bias.data.normal_()
    x = torch.randn(2, 3, 6, 6)
    plain = F.conv2d(x, layer.weight / math.sqrt(27), layer.bias, padding=1)
    torch.testing.assert_close(layer(x, gain=0.5), F.leaky_relu(plain, 0.2) * math.sqrt(2) * 0.5)


@pytest.mark.parametrize(("resize", "size"), [("double", 16), ("halve", 4), (None, 8)])
@pytest.mark.parametrize("kernel", [1, 3])
def test_resized_convolutions_keep_a_smooth_image_in_place(resize, size, kernel):
    """A filter that is off by a pixel would shift a ramp."""
    layer = EqualizedConv2d(1, 1, kernel, bias=False, rectified=False, resize=resize)
    layer.weight.data.zero_()
    layer.weight.data[0, 0, kernel // 2, kernel // 2] = kernel
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    y = layer(ramp)
    assert y.shape == (1, 1, size, size)
    expected = (torch.arange(size) + 0.5) * 8 / size - 0.5
    inner = slice(size // 4, -size // 4)
    torch.testing.assert_close(y[0, 0, size // 2, inner], expected[inner])


def test_doubling_uses_the_weight_as_a_true_convolution():
    layer = EqualizedConv2d(1, 1, 3, bias=False, rectified=False, resize="double")
    layer.weight.data.zero_()
    layer.weight.data[0, 0, 1, 0] = 3.0  # left tap: a true convolution shifts to the left
    y = layer(torch.arange(8.0).expand(1, 1, 8, 8))
    centred = (torch.arange(16) + 0.5) / 2 - 0.5
    torch.testing.assert_close(y[0, 0, 8, 4:-4], (centred + 0.5)[4:-4])


def test_clamp_follows_the_gain():
    layer = EqualizedConv2d(1, 1, 1, clamp=2.0)
    layer.weight.data.fill_(100.0)
    assert layer(torch.ones(1, 1, 2, 2), gain=0.5).max() == 1.0


def test_equalize_replaces_maps_and_tables():
    module = nn.ModuleDict({"score": linear(4, 1, bias=False), "rows": nn.Embedding(3, 4)})
    equalize(module)
    assert isinstance(module["score"], EqualizedLinear)
    assert module["score"].bias is None
    assert module["rows"](torch.tensor([0, 2, 0])).shape == (3, 4)


def test_spectral_norm_and_equalised_rates_exclude_each_other():
    with pytest.raises(ValueError, match="exclude each other: 'score' has both; set spectral_norm=False"):
        equalize(nn.ModuleDict({"score": linear(4, 1, spectral_norm=True)}))
