import pytest
import torch
from torch.nn import functional as F

from mmcgan.models.layers.equalized import resized_convolution
from mmcgan.models.layers.modulation import StyledConv, ToRGB, modulated_conv2d
from mmcgan.models.layers.resample import FIRFilter


def per_sample(x, weight, style, demodulate, resize, fir):
    """Equations 1 and 3 of StyleGAN2, one sample at a time."""
    images = []
    for one, s in zip(x, style, strict=True):
        own = weight * s[None, :, None, None]
        if demodulate:
            own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        images.append(resized_convolution(one[None], own, resize, fir))
    return torch.cat(images)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize(("resize", "kernel"), [(None, 3), (None, 1), ("double", 3)])
def test_equals_a_convolution_per_sample(demodulate, resize, kernel):
    torch.manual_seed(0)
    x = torch.randn(3, 4, 6, 6, dtype=torch.float64)
    weight, style = torch.randn(5, 4, kernel, kernel).double(), torch.randn(3, 4).double()
    fir = FIRFilter().double() if resize else None
    ours = modulated_conv2d(x, weight, style, demodulate=demodulate, resize=resize, fir=fir)
    expected = per_sample(x, weight, style, demodulate, resize, fir)
    torch.testing.assert_close(ours, expected, atol=1e-12, rtol=1e-10)


def test_equals_a_grouped_convolution():
    x, weight, style = torch.randn(2, 3, 5, 5), torch.randn(4, 3, 3, 3), torch.randn(2, 3)
    own = weight[None] * style[:, None, :, None, None]
    own = own * (own.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    grouped = F.conv2d(x.reshape(1, 6, 5, 5), own.reshape(8, 3, 3, 3), padding=1, groups=2)
    torch.testing.assert_close(modulated_conv2d(x, weight, style), grouped.reshape(2, 4, 5, 5))


def test_demodulation_keeps_the_variance_whatever_the_style():
    torch.manual_seed(0)
    x, weight = torch.randn(2, 64, 16, 16), torch.randn(64, 64, 3, 3)
    style = torch.stack([torch.full((64,), 0.01), torch.full((64,), 100.0)])
    y = modulated_conv2d(x, weight, style)[:, :, 1:-1, 1:-1]
    torch.testing.assert_close(y.std((1, 2, 3)), torch.ones(2), atol=0.05, rtol=0)


def test_half_precision_does_not_overflow():
    x, weight = torch.ones(1, 512, 4, 4), torch.ones(1, 512, 3, 3)
    style = torch.full((1, 512), 1000.0)
    exact = modulated_conv2d(x, weight, style)
    half = modulated_conv2d(x.half(), weight, style)
    torch.testing.assert_close(half.float(), exact, atol=0, rtol=5e-3)


def test_noise_is_added_in_proportion_to_its_learnt_strength():
    layer = StyledConv(3, 4, 5, 8)
    x, w, noise = torch.randn(2, 3, 8, 8), torch.randn(2, 5), torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(layer(x, w, noise), layer(x, w, None))  # starts at 0
    layer.noise_strength.data.fill_(0.5)
    assert (layer(x, w, noise) - layer(x, w, None)).abs().max() > 0.1


def test_rgb_layers_start_as_plain_unit_variance_maps():
    torch.manual_seed(0)
    image = ToRGB(256, 8)(torch.randn(2, 256, 16, 16), torch.zeros(2, 8))
    assert image.std().item() == pytest.approx(1, rel=0.2)
