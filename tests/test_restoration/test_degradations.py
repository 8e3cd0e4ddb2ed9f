import pytest
import torch
from torch.nn import functional as F

from mmcgan.registry import DEGRADATIONS
from mmcgan.restoration import figures, lanczos_downsample, lanczos_kernel, with_lightness_of


def degradation(name, **settings):
    return DEGRADATIONS.build({"type": name, **settings})


@pytest.fixture
def image():
    return torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_hole_is_grey_and_the_rest_untouched(image):
    degraded = degradation("inpaint").degrade(image)
    assert (degraded[:, :, 8:16, 11:19] == 0).all()
    degraded[:, :, 8:16, 11:19] = image[:, :, 8:16, 11:19]
    assert torch.equal(degraded, image)


def test_what_was_not_lost_comes_back_unchanged(image):
    task = degradation("inpaint")
    finished = task.finish(torch.ones_like(image), task.degrade(image))
    assert torch.equal(finished[:, :, :8], image[:, :, :8])
    assert (finished[:, :, 8:16, 11:19] == 1).all()


def test_grey_has_three_equal_channels_and_weights_green_most(image):
    grey = degradation("colorize").degrade(image)
    assert torch.equal(grey[:, 0], grey[:, 2])
    green = torch.zeros(1, 3, 1, 1)
    green[:, 1] = 1
    assert degradation("colorize").degrade(green)[0, 0, 0, 0] == pytest.approx(0.587)


def test_colours_with_their_own_lightness_are_the_image(image):
    torch.testing.assert_close(with_lightness_of(image, image), image, rtol=0, atol=2e-3)


def test_a_constant_image_survives_shrinking():
    constant = torch.full((1, 3, 16, 16), 0.25)
    task = degradation("sr", factor=4)
    torch.testing.assert_close(task.degrade(constant), constant)
    # the target has gone through eight bits
    torch.testing.assert_close(task.target(constant), constant, rtol=0, atol=2 / 255)


@pytest.mark.parametrize("factor", [1, 1.3, 2.5])
def test_any_factor_shrinks_both_sides_alike(image, factor):
    task = degradation("sr", factor=factor)
    assert task.degrade(image).shape == image.shape
    smooth = F.avg_pool2d(image, 7, stride=1, padding=3)
    assert (task.degrade(smooth) - task.target(smooth)).abs().mean() < 0.02
    if factor == 1:
        assert torch.equal(task.degrade(image), image)


def test_the_filter_sums_to_one_and_shrinks_by_its_factor(image):
    assert lanczos_kernel(4).shape == (16, 16)
    assert lanczos_kernel(3, phase=0).shape == (13, 13)
    assert float(lanczos_kernel(2).sum()) == pytest.approx(1)
    assert lanczos_downsample(image, 2).shape == (1, 3, 12, 15)


def test_noise_is_in_the_target_only(image):
    task = degradation("denoise", deviation=0.1)
    assert torch.equal(task.degrade(image), image)
    assert 0.05 < float((task.target(image) - image).std()) < 0.11
    assert torch.equal(task.target(image), task.target(image))


def test_figures_of_inpainting_look_at_the_hole_only(image):
    other = image.clone()
    other[:, :, :4] = 0
    assert figures(other, image, degradation("inpaint"))["psnr"] == float("inf")
    assert figures(other, image, degradation("reconstruct"))["psnr"] < 30


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("sr", {"factor": 0.5}, "factor must be at least 1, got 0.5"),
        ("denoise", {"deviation": -1}, "deviation must not be negative"),
    ],
)
def test_bad_settings_are_named(name, settings, message):
    with pytest.raises(ValueError, match=message):
        degradation(name, **settings)


def test_an_image_too_small_to_shrink_is_an_error():
    with pytest.raises(ValueError, match="cannot shrink 4 times"):
        degradation("sr").target(torch.zeros(1, 3, 3, 3))


def test_what_a_mask_marks_is_missing_and_nothing_else(image):
    missing = torch.zeros(24, 30, dtype=torch.bool)
    missing[2:5, 20:29] = True
    task = degradation("inpaint", missing=missing)
    degraded = task.degrade(image)
    assert torch.equal(degraded == 0, missing.expand_as(image))
    assert task.region((24, 30)) == (2, 5, 20, 29)
    finished = task.finish(torch.ones_like(image), degraded)
    assert torch.equal(finished, torch.where(missing, torch.ones(()), image))
    # rendered at twice the size, the same part is missing
    assert task.region((48, 60)) == (4, 10, 40, 58)


@pytest.mark.parametrize("everything", [False, True])
def test_a_mask_of_nothing_or_of_everything_is_refused(everything):
    with pytest.raises(ValueError, match="mark a part"):
        degradation("inpaint", missing=torch.full((4, 4), everything))
