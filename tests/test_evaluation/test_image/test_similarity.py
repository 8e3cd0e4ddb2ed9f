"""PSNR, SSIM and MS-SSIM against closed forms and plain loops."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from mmcgan.evaluation.metrics.similarity import SCALE_WEIGHTS, contrast_similarity, ms_ssim, psnr, ssim

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def pair(size, seed=0, noise=20.0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.rand(2, 3, size, size, generator=generator, dtype=torch.float64) * 255
    return first, (first + noise * torch.randn(first.shape, generator=generator, dtype=torch.float64))


def scipy_ssim(first, second):
    """SSIM of one channel, its moments by scipy's Gaussian of 11 pixels, where the window fits."""

    def blur(image):
        return gaussian_filter(image, 1.5, truncate=5 / 1.5)[5:-5, 5:-5]

    mean1, mean2 = blur(first), blur(second)
    variances = blur(first**2) - mean1**2 + blur(second**2) - mean2**2
    covariance = blur(first * second) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + C1) / (mean1**2 + mean2**2 + C1)
    return np.mean(luminance * (2 * covariance + C2) / (variances + C2))


def test_psnr_of_a_constant_error():
    first = torch.full((2, 3, 4, 4), 100, dtype=torch.uint8)
    second = first.clone()
    second[0] += 10
    found = psnr(first, second)
    assert found[0] == pytest.approx(20 * math.log10(255 / 10), rel=1e-12)
    assert found[1] == math.inf
    half = psnr(first / 127.5 - 1, second / 127.5 - 1, data_range=2.0)
    assert half[0] == pytest.approx(float(found[0]), rel=1e-5)


def test_psnr_does_not_wrap_around():
    black, white = torch.zeros(1, 3, 2, 2, dtype=torch.uint8), torch.full((1, 3, 2, 2), 255).byte()
    assert psnr(black, white) == psnr(white, black) == 0


def test_ssim_agrees_with_scipy_filters():
    first, second = pair(24)
    expected = [
        np.mean([scipy_ssim(a.numpy(), b.numpy()) for a, b in zip(x, y, strict=True)])
        for x, y in zip(first, second, strict=True)
    ]
    assert ssim(first, second).tolist() == pytest.approx(expected, rel=1e-10)


def test_ssim_of_flat_images_is_the_luminance_term():
    first, second = torch.full((1, 3, 16, 16), 50.0), torch.full((1, 3, 16, 16), 200.0)
    luminance = (2 * 50 * 200 + C1) / (50**2 + 200**2 + C1)
    assert ssim(first, second)[0] == pytest.approx(luminance, rel=1e-9)
    assert contrast_similarity(first, second)[0] == pytest.approx(1, rel=1e-9)


def test_ssim_is_one_for_itself_negative_for_its_negative_and_symmetric():
    first, second = pair(20)
    assert ssim(first, first).tolist() == pytest.approx([1, 1], abs=1e-12)
    assert (ssim(first, 255 - first) < 0).all()
    assert torch.equal(ssim(first, second), ssim(second, first))
    louder = ssim(first, first + 3 * (second - first))
    assert (louder < ssim(first, second)).all()


def test_data_range_scales_the_constants():
    first, second = pair(16)
    assert ssim(first / 255, second / 255, data_range=1.0).tolist() == pytest.approx(
        ssim(first, second).tolist(), rel=1e-9
    )


def test_ms_ssim_with_one_scale_is_ssim():
    first, second = pair(32)
    assert ms_ssim(first, second, weights=(1.0,)).tolist() == pytest.approx(ssim(first, second).tolist())


def test_ms_ssim_is_the_product_over_scales():
    first, second = pair(64)
    scales = [(first, second)]
    for _ in range(2):
        scales.append(tuple(value.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2)) for value in scales[-1]))
    expected = contrast_similarity(*scales[0]) ** 0.2 * contrast_similarity(*scales[1]) ** 0.3
    expected = expected * ssim(*scales[2]) ** 0.5
    assert ms_ssim(first, second, weights=(0.2, 0.3, 0.5)).tolist() == pytest.approx(expected.tolist())


def test_ms_ssim_of_unrelated_images_is_a_number_and_of_one_image_is_one():
    first, other = pair(64)[0], pair(64, seed=9)[0]
    assert ms_ssim(first, first).tolist() == pytest.approx([1, 1], abs=1e-9)
    found = ms_ssim(first, 255 - other)
    assert ((found >= 0) & (found < 0.5)).all()
    assert sum(SCALE_WEIGHTS) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("function", [psnr, ssim, ms_ssim])
def test_shapes_that_differ_are_named(function):
    with pytest.raises(ValueError, match=r"got \(1, 3, 16, 16\) and \(1, 3, 8, 8\)"):
        function(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 8, 8))


def test_too_many_scales_are_refused():
    with pytest.raises(ValueError, match="5 scales needs images of 16 pixels or more, got 8 x 8"):
        ms_ssim(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))
