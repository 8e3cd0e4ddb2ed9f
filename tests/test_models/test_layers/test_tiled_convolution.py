"""Convolutions by products of tiles against torch's own."""

import pytest
import torch
from torch import nn

from mmcgan.models.layers import conv2d, tiled_convolution
from mmcgan.models.layers.tiled_convolution import DOUBLING, HALVING, SAME, convolve

EXACT = dict(rtol=1e-12, atol=1e-12)
CASES = [(SAME, (4, 6)), (SAME, (2, 2)), (HALVING, (5, 7)), (HALVING, (6, 4)), (DOUBLING, (3, 4))]
LAST = torch.channels_last


@pytest.fixture
def tiled(monkeypatch):
    """Take the products of tiles however small the tensors, two images at a time."""
    for name in ("GRADIENT_FROM", "RESULT_FROM", "STRIDED_FROM", "TILES_FROM"):
        monkeypatch.setattr(tiled_convolution, name, 1)
    monkeypatch.setattr(tiled_convolution, "PART", 2 * 8 * 7 * 9 * 9)


@pytest.fixture
def calls(monkeypatch):
    """Count what is computed here."""
    seen = []
    for name in ("_tiled_result", "_tiled_weight_gradient", "_strided_weight_gradient"):
        whole = getattr(tiled_convolution, name)
        counted = lambda *given, name=name, whole=whole: seen.append(name) or whole(*given)  # noqa: E731
        monkeypatch.setattr(tiled_convolution, name, counted)
    return seen


def tensors(shape, size, dtype=torch.float64, channels=(5, 7), images=5):
    torch.manual_seed(0)
    before, after = channels
    x = torch.randn(images, before, *size, dtype=dtype).contiguous(memory_format=LAST)
    weight = torch.randn(*((before, after) if shape.transposed else (after, before)), 3, 3, dtype=dtype)
    bias = torch.randn(after, dtype=dtype)
    return [value.requires_grad_() for value in (x, weight.contiguous(memory_format=LAST), bias)]


def plain(x, weight, bias, shape):
    return torch.convolution(x, weight, bias, *shape.arguments())


@pytest.mark.parametrize(("shape", "size"), CASES)
def test_values_and_gradients_are_those_of_torch(tiled, calls, shape, size):
    ours, theirs = tensors(shape, size), tensors(shape, size)
    y, expected = convolve(*ours, shape), plain(*theirs, shape)
    assert y.is_contiguous(memory_format=LAST)
    torch.testing.assert_close(y, expected, **EXACT)
    direction = torch.randn_like(y)
    found = torch.autograd.grad((y.sin() * direction).sum(), ours)
    for value, truth in zip(
        found, torch.autograd.grad((expected.sin() * direction).sum(), theirs), strict=True
    ):
        torch.testing.assert_close(value / truth.abs().max(), truth / truth.abs().max(), **EXACT)
    weights = "_tiled_weight_gradient" if shape == SAME else "_strided_weight_gradient"
    assert calls == (["_tiled_result"] * 2 + [weights] if shape == SAME else [weights])


@pytest.mark.parametrize(("shape", "size"), CASES)
def test_second_derivatives_are_those_of_torch(tiled, shape, size):
    found = []
    for function in (convolve, plain):
        inputs = tensors(shape, size)
        first = torch.autograd.grad(function(*inputs, shape).sin().sum(), inputs, create_graph=True)
        found.append(torch.autograd.grad(sum(value.square().sum() for value in first), inputs))
    for value, truth in zip(*found, strict=True):
        torch.testing.assert_close(value / truth.abs().max(), truth / truth.abs().max(), **EXACT)


@pytest.mark.parametrize("asked", ["x", "weight", "bias"])
def test_only_the_gradients_that_are_asked_for_are_computed(tiled, calls, asked):
    inputs = [value.detach() for value in tensors(SAME, (4, 4))]
    chosen = inputs[["x", "weight", "bias"].index(asked)].requires_grad_()
    convolve(*inputs).sum().backward()
    assert chosen.grad is not None and [value.grad is None for value in inputs].count(True) == 2
    assert ("_tiled_weight_gradient" in calls) == (asked == "weight")


def test_float32_rounds_no_more_than_the_direct_sum():
    """Tiles add differences, but their sums are a ninth as long."""
    inputs = [value.detach() for value in tensors(SAME, (16, 16), channels=(256, 256), images=4)]
    truth = plain(*inputs, SAME)
    direct, ours = (
        function(*(value.float() for value in inputs), SAME).double() for function in (plain, convolve)
    )
    off, plain_off = ((value - truth).square().mean().sqrt() for value in (ours, direct))
    assert 0 < off < 2 * plain_off


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda x, weight: (x.contiguous(), weight), "plain layout"),
        (lambda x, weight: (x.bfloat16(), weight.bfloat16()), "bfloat16 products are cheap"),
        (lambda x, weight: (x[:, :, :3], weight), "a row is left over"),
        (lambda x, weight: (x.to("meta"), weight.to("meta")), "networks are measured on the meta device"),
    ],
)
def test_what_it_is_not_for_goes_to_torch(tiled, calls, change, reason):
    x, weight, _ = (value.detach() for value in tensors(SAME, (4, 4), torch.float32))
    x, weight = change(x, weight)
    assert convolve(x, weight, None).shape == (len(x), 7, *x.shape[2:]), reason
    assert not calls, reason


def test_autocast_and_few_channels_go_to_torch(tiled, calls, monkeypatch):
    inputs = tensors(SAME, (4, 4), torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert convolve(*inputs).dtype is torch.bfloat16
    monkeypatch.setattr(tiled_convolution, "GRADIENT_FROM", 6)
    convolve(*inputs).sum().backward()
    assert not calls


@pytest.mark.parametrize("options", [dict(padding=1), dict(padding=1, spectral_norm=True)])
def test_layers_of_the_factory_use_it_and_others_keep_torchs_settings(tiled, calls, options):
    layer = conv2d(5, 7, 3, **options).to(memory_format=LAST)
    x = torch.randn(2, 5, 4, 4).contiguous(memory_format=LAST)
    layer(x)
    assert calls == ["_tiled_result"]
    assert isinstance(layer, nn.Conv2d)
    del calls[:]
    strided = conv2d(5, 7, 3, stride=2, **options).to(memory_format=LAST)
    assert strided(x).shape == (2, 7, 2, 2)
    assert not calls
