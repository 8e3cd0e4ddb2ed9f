"""Layers that keep full precision: strided filters have no fast form in reduced precision on processors."""

import copy

import pytest
import torch
from torch import nn

from mmcgan.models.layers.precision import widen_strided_filters
from mmcgan.models.layers.resample import FIRFilter


@pytest.mark.parametrize("method", ["upsample", "downsample"])
@pytest.mark.parametrize("taps", [(1.0, 3.0, 3.0, 1.0), (1.0, 2.0, 1.0)])
def test_filters_round_but_once_in_reduced_precision(method, taps):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8).bfloat16()
    filtered = getattr(FIRFilter(taps), method)
    expected = filtered(x.double()).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        result = filtered(x)
    assert result.dtype == torch.bfloat16
    # float64 rounded once: what differs by a unit was on the edge
    assert (result == expected).float().mean() > 0.99
    assert torch.allclose(result.double(), filtered(x.double()), rtol=2**-8, atol=1e-6)


def test_filters_keep_the_type_that_comes_in():
    filtered = FIRFilter()
    with torch.autocast("cpu", torch.bfloat16):
        assert filtered.downsample(torch.randn(1, 2, 4, 4)).dtype == torch.float32
    assert filtered.downsample(torch.randn(1, 2, 4, 4).double()).dtype == torch.float64


def test_strided_filters_of_other_peoples_networks_pass_gradients_in_float32():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(4, 4, 3, stride=2, groups=4, padding=1), nn.Conv2d(4, 4, 3, groups=4, padding=1)
    )
    plain = copy.deepcopy(network)
    widen_strided_filters(network)
    assert list(network.state_dict()) == list(plain.state_dict())
    assert type(network[0]) is not nn.Conv2d and isinstance(network[0], nn.Conv2d)
    assert type(network[1]) is nn.Conv2d, "has a fast form"
    types = []
    original = torch.nn.functional.conv2d

    def watched(x, *arguments, **options):
        types.append((x.dtype, torch.is_autocast_enabled("cpu")))
        return original(x, *arguments, **options)

    x = torch.randn(2, 4, 8, 8).bfloat16().requires_grad_()
    with pytest.MonkeyPatch.context() as patch, torch.autocast("cpu", torch.bfloat16):
        patch.setattr(torch.nn.functional, "conv2d", watched)
        result = network(x)
        network(x.detach())
        expected = plain(x)
    assert types[0] == (torch.float32, False), "the gradient's convolution is wide"
    assert types[1] == types[2] == types[3] == (torch.bfloat16, True), "nothing else is"
    assert torch.allclose(result.float(), expected.float(), rtol=2**-7, atol=1e-2)
    assert torch.equal(copy.deepcopy(network)(x.detach().float()), plain(x.detach().float()))
