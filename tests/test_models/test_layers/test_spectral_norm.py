import copy

import pytest
import torch
from torch.nn import functional as F

from mmcgan.models.layers import conv2d, conv_transpose2d, embedding, linear
from mmcgan.models.layers.spectral_norm import SpectralNormOptions, spectral_norm_options

LAYERS = {
    "conv": (lambda sn: conv2d(3, 5, 3, padding=1, spectral_norm=sn), lambda: torch.randn(2, 3, 6, 6)),
    "linear": (lambda sn: linear(7, 4, spectral_norm=sn), lambda: torch.randn(2, 7)),
    "embedding": (lambda sn: embedding(6, 4, spectral_norm=sn), lambda: torch.tensor([0, 5, 3])),
    "transposed": (
        lambda sn: conv_transpose2d(3, 5, 4, stride=2, padding=1, spectral_norm=sn),
        lambda: torch.randn(2, 3, 4, 4),
    ),
}


def matrix_of(name, layer):
    weight = layer.weight.detach()
    return (weight.transpose(0, 1) if name == "transposed" else weight).flatten(1)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("options", [True, {"iterate_in_eval": False}])
def test_converges_to_the_largest_singular_value(name, options):
    torch.manual_seed(0)
    make, inputs = LAYERS[name]
    layer, x = make(options), inputs()
    for _ in range(300):
        layer(x)
    largest = torch.linalg.svdvals(matrix_of(name, layer))[0]
    torch.testing.assert_close(layer.spectral(layer.weight), layer.weight / largest, rtol=1e-4, atol=1e-6)
    largest_now = torch.linalg.svdvals(matrix_of(name, layer) / largest)[0]
    assert largest_now == pytest.approx(1, abs=1e-5)


def test_tracks_several_singular_values_in_order():
    torch.manual_seed(0)
    layer = linear(8, 6, spectral_norm={"singular_values": 3, "iterations": 2})
    for _ in range(400):
        layer(torch.randn(1, 8))
    expected = torch.linalg.svdvals(layer.weight.detach())[:3]
    tracked = torch.cat([layer.spectral.sigma0, layer.spectral.sigma1, layer.spectral.sigma2])
    torch.testing.assert_close(tracked, expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(layer.spectral(layer.weight), layer.weight / expected[0], rtol=1e-4, atol=1e-5)


def test_legacy_form_equals_torchs_own_hook():
    torch.manual_seed(0)
    layer = conv2d(3, 5, 3, spectral_norm={"iterate_in_eval": False, "eps": 1e-12})
    hooked = torch.nn.Conv2d(3, 5, 3)
    hooked.load_state_dict({"weight": layer.weight.detach(), "bias": layer.bias.detach()})
    hooked = torch.nn.utils.spectral_norm(hooked)
    hooked.weight_u.copy_(layer.spectral.u0)
    hooked.weight_v.copy_(layer.spectral.v0)
    x = torch.randn(2, 3, 5, 5)
    for training in (True, True, False, True):
        ours, theirs = layer.train(training)(x), hooked.train(training)(x)
        torch.testing.assert_close(ours, theirs)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, hooked.weight_orig.grad)


def test_evaluation_stores_nothing_but_may_iterate():
    torch.manual_seed(0)
    layer = linear(5, 4, spectral_norm=True).eval()
    before = {name: value.clone() for name, value in layer.spectral.named_buffers()}
    first = layer(torch.ones(1, 5))
    torch.testing.assert_close(layer(torch.ones(1, 5)), first)
    for name, value in layer.spectral.named_buffers():
        assert torch.equal(value, before[name])
    u = F.normalize(layer.weight @ F.normalize(before["u0"] @ layer.weight, dim=0), dim=0)
    sigma = u @ layer.weight @ F.normalize(before["u0"] @ layer.weight, dim=0)
    torch.testing.assert_close(layer.spectral(layer.weight), layer.weight / sigma)


def test_more_iterations_come_closer():
    def error(iterations):
        torch.manual_seed(0)
        layer = linear(30, 20, spectral_norm={"iterations": iterations})
        layer(torch.randn(1, 30))
        return (torch.linalg.svdvals(layer.weight.detach())[0] - layer.spectral.sigma0).item()

    assert 0 <= error(20) < error(3) < error(1)


@pytest.mark.parametrize("differentiable", [True, False])
def test_gradient_through_sigma(differentiable):
    torch.manual_seed(0)
    layer = linear(5, 4, spectral_norm={"differentiable": differentiable})
    for _ in range(200):
        layer(torch.zeros(1, 5))
    layer.double().eval()

    def normalised(weight):
        sigma = torch.linalg.svdvals(weight)[0]
        return weight / (sigma if differentiable else sigma.detach())

    probe = torch.randn(4, 5, dtype=torch.float64)
    expected = torch.autograd.functional.jacobian(
        lambda w: (normalised(w) * probe).sum(), layer.weight.detach()
    )
    (ours,) = torch.autograd.grad((layer.spectral(layer.weight) * probe).sum(), layer.weight)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_two_forwards_before_one_backward():
    layer = linear(5, 4, spectral_norm=True)
    (layer(torch.randn(2, 5)) + layer(torch.randn(2, 5))).sum().backward()
    assert layer.weight.grad.isfinite().all()


def test_bf16_autocast_estimates_sigma_in_float32():
    torch.manual_seed(0)
    layer = linear(64, 64, spectral_norm=True).eval()
    exact = layer.spectral(layer.weight)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        weight = layer.spectral(layer.weight)
        assert layer(torch.randn(2, 64)).dtype == torch.bfloat16
    assert weight.dtype == torch.float32
    assert torch.equal(weight, exact)


def test_a_misspelt_option_is_named_with_the_right_one():
    with pytest.raises(ValueError, match=r"unknown option 'iteration'.*'iterations'"):
        linear(2, 2, spectral_norm={"iteration": 2})


@pytest.mark.parametrize("options", [{"iterations": 0}, {"singular_values": 0}])
def test_counts_below_one_are_refused(options):
    with pytest.raises(ValueError, match=">= 1"):
        linear(2, 2, spectral_norm=options)


def test_legacy_form_has_one_singular_value():
    with pytest.raises(ValueError, match="iterate_in_eval=True"):
        linear(2, 2, spectral_norm={"iterate_in_eval": False, "singular_values": 2})


@pytest.mark.parametrize("value", [None, False])
def test_off_means_plain_layers(value):
    assert type(linear(2, 2, spectral_norm=value)) is torch.nn.Linear
    plain = conv2d(2, 2, 1, spectral_norm=value)
    assert isinstance(plain, torch.nn.Conv2d) and plain.state_dict().keys() == {"weight", "bias"}
    assert type(embedding(2, 2, spectral_norm=value)) is torch.nn.Embedding


def test_true_means_the_defaults():
    assert spectral_norm_options(True) == SpectralNormOptions()


@pytest.mark.parametrize("options", [dict(), dict(singular_values=2), dict(iterate_in_eval=False)], ids=str)
def test_the_memory_layout_of_a_weight_does_not_matter(options):
    torch.manual_seed(0)
    plain = conv2d(4, 6, 3, padding=1, spectral_norm=options).double()
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    x = torch.randn(2, 4, 5, 5, dtype=torch.float64)
    for _ in range(3):
        for layer in (plain, last):
            layer.zero_grad()
            layer(x).square().sum().backward()
        torch.testing.assert_close(last.weight.grad, plain.weight.grad, rtol=1e-12, atol=1e-12)
    for name, value in plain.spectral.named_buffers():
        torch.testing.assert_close(last.spectral.get_buffer(name), value, rtol=1e-12, atol=1e-12)
