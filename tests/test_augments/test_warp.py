import math

import pytest
import torch

from mmcgan.augments.filters import filter_images, gaussian
from mmcgan.augments.pixels import reflect
from mmcgan.augments.warp import rotation, sample, scaling, translation, warp
from mmcgan.augments.wavelets import filter_bank, resampling_filter
from mmcgan.random import make_generator

ONE = torch.ones(1, dtype=torch.float64)
SIZES = [(16, 16), (28, 28), (32, 32), (9, 14)]


def smooth(height, width):
    """Return a picture without high frequencies, mirror-symmetric beyond its border."""
    y, x = torch.arange(height, dtype=torch.float64)[:, None], torch.arange(width, dtype=torch.float64)
    waves = torch.cos(math.pi * x / (width - 1)) * torch.cos(math.pi * y / (height - 1)) + 0.3 * torch.cos(
        2 * math.pi * x / (width - 1)
    )
    return waves.expand(1, 3, height, width).contiguous()


def noise(height, width, n=1):
    return torch.randn(n, 3, height, width, generator=make_generator(0), dtype=torch.float64)


def test_reflection_is_endless_and_does_not_repeat_the_border():
    folded = reflect(torch.arange(-7, 9), 4)
    assert folded.tolist() == [1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert reflect(torch.arange(-3, 3), 1).tolist() == [0] * 6


def test_the_wavelet_is_orthonormal():
    taps = resampling_filter() * math.sqrt(2)
    for lag in range(0, 12, 2):
        overlap = float((taps[lag:] * taps[: 12 - lag]).sum())
        assert overlap == pytest.approx(float(lag == 0), abs=1e-9)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_identity_changes_nothing(height, width):
    image = noise(height, width)
    assert torch.allclose(warp(image, scaling(ONE, ONE)), image, atol=1e-9)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_an_integer_shift_moves_pixels_and_reflects(height, width):
    image = noise(height, width)
    moved = warp(image, translation(3 * ONE, -2 * ONE))
    rows, columns = reflect(torch.arange(height) - 2, height), reflect(torch.arange(width) + 3, width)
    assert torch.allclose(moved, image[..., rows, :][..., columns], atol=1e-9)


@pytest.mark.parametrize("distance", [40, 1000])
def test_a_shift_far_beyond_the_image_still_shows_it(distance):
    image = noise(16, 16)
    moved = warp(image, translation(distance * ONE, 0 * ONE))
    columns = reflect(torch.arange(16) + distance, 16)
    assert torch.allclose(moved, image[..., columns], atol=1e-8)


@pytest.mark.parametrize("size", [16, 28, 33])
def test_mirror_and_quarter_turns_agree_with_moving_pixels(size):
    image = smooth(size, size) + 0.1 * torch.arange(3.0)[:, None, None]
    image = image + torch.cos(math.pi * torch.arange(size) / (size - 1))
    # the wavelet is not symmetric, so that a mirrored image passes another filter
    assert torch.allclose(warp(image, scaling(-ONE, ONE)), image.flip(-1), atol=0.1)
    turned = warp(image, rotation(math.pi / 2 * ONE))
    assert torch.allclose(turned, image.rot90(1, (-2, -1)), atol=0.1)


def test_a_map_and_its_inverse_bring_a_smooth_image_back():
    image = smooth(32, 32)
    angle, factor = 0.3 * ONE, 1.1 * ONE
    there = rotation(angle) @ scaling(factor, 1 / factor)
    back = warp(warp(image, there), there.inverse())
    assert (back - image)[..., 10:-10, 10:-10].abs().max() < 0.02
    assert (warp(image, there) - image).abs().max() > 0.2


def test_enlarging_shrinks_the_view():
    ramp = torch.arange(32, dtype=torch.float64).expand(1, 3, 32, 32)
    enlarged = warp(ramp, scaling(ONE / 2, ONE))
    assert torch.allclose(enlarged[0, 0, 0, 10:22].diff(), torch.tensor(0.5).double(), atol=0.02)


def test_sampling_is_twice_differentiable_and_agrees_with_torch():
    image = noise(5, 4, 2).requires_grad_()
    grid = 2.2 * torch.rand(2, 3, 3, 2, generator=make_generator(1), dtype=torch.float64) - 1.1
    expected = torch.nn.functional.grid_sample(image, grid, align_corners=True)
    assert sample(image, grid).equal(expected)
    assert torch.autograd.gradcheck(lambda x: sample(x, grid), image)
    assert torch.autograd.gradgradcheck(lambda x: sample(x, grid).square(), image)


def test_bands_add_up_to_the_identity_and_have_no_phase():
    bank = filter_bank()
    assert bank.shape == (4, 43)
    unit = torch.zeros(43, dtype=torch.float64)
    unit[21] = 1
    assert torch.allclose(bank.sum(0), unit, atol=1e-9)
    assert torch.allclose(bank, bank.flip(1), atol=1e-9)
    sums = bank.sum(1)
    assert torch.allclose(sums, torch.tensor([1.0, 0, 0, 0]).double(), atol=1e-9)


@pytest.mark.parametrize("size", [8, 16, 28])
def test_filtering_needs_no_image_longer_than_the_filter(size):
    image = noise(size, size, 2)
    unit = filter_bank().sum(0).expand(2, -1)
    assert torch.allclose(filter_images(image, unit), image, atol=1e-9)
    flat = torch.full((2, 3, size, size), 0.7, dtype=torch.float64)
    assert torch.allclose(filter_images(flat, filter_bank()[:1].expand(2, -1)), flat, atol=1e-9)


def test_every_image_is_filtered_with_its_own_taps():
    image = noise(16, 16, 2)
    taps = gaussian(torch.tensor([0.01, 1.5], dtype=torch.float64), 7)
    blurred = filter_images(image, taps)
    assert torch.allclose(blurred[0], image[0], atol=1e-9)
    assert blurred[1].std() < 0.5 * image[1].std()
