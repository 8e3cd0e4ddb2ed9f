import math

import pytest
import torch

from mmcgan.augments import colour
from mmcgan.random import make_generator

IMAGE = torch.rand(2, 3, 5, 4, generator=make_generator(0), dtype=torch.float64) * 2 - 1
N = torch.ones(2, dtype=torch.float64)


def lightness(image):
    return image.mean(1)


@pytest.mark.parametrize("make", [colour.saturation, colour.hue_rotation])
def test_saturation_and_hue_keep_lightness(make):
    changed = colour.recolour(IMAGE, make(2.3 * N))
    assert torch.allclose(lightness(changed), lightness(IMAGE))
    assert not torch.allclose(changed, IMAGE)


def test_no_saturation_is_grey():
    assert torch.allclose(colour.recolour(IMAGE, colour.saturation(0 * N)).std(1), torch.tensor(0.0).double())


def test_a_third_of_the_circle_of_hue_permutes_the_channels():
    turned = colour.recolour(IMAGE, colour.hue_rotation(2 * math.pi / 3 * N))
    assert torch.allclose(turned, IMAGE.roll(1, 1))


def test_luma_flip_negates_lightness_and_keeps_hue():
    flipped = colour.recolour(IMAGE, colour.luma_flip(N))
    assert torch.allclose(lightness(flipped), -lightness(IMAGE))
    assert torch.allclose(flipped - lightness(flipped)[:, None], IMAGE - lightness(IMAGE)[:, None])
    assert torch.allclose(colour.recolour(IMAGE, colour.luma_flip(0 * N)), IMAGE)


def test_brightness_adds_and_contrast_multiplies():
    assert torch.allclose(colour.recolour(IMAGE, colour.brightness(0.3 * N)), IMAGE + 0.3)
    assert torch.allclose(colour.recolour(IMAGE, colour.contrast(0.3 * N)), IMAGE * 0.3)
