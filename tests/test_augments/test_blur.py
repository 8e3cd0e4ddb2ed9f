"""The blur that fades: closed forms, and the schedule that moves it."""

import math

import pytest
import torch

from mmcgan.augments import Blur, ComposeAugments
from mmcgan.augments.blur import blurred
from mmcgan.hooks.schedule import attribute_setter
from mmcgan.random import make_generator


def test_a_point_becomes_the_taps():
    image = torch.zeros(1, 3, 15, 15)
    image[..., 7, 7] = 1
    found = blurred(image, 2.0)[0, 0, 7]
    taps = torch.tensor([2.0 ** -((i / 2) ** 2) for i in range(-6, 7)])
    taps = taps / taps.sum()
    torch.testing.assert_close(found[1:14], taps * taps[6])
    spread = (taps * torch.arange(-6, 7.0).square()).sum().sqrt()
    assert abs(float(spread) - 2 / math.sqrt(2 * math.log(2))) < 0.02


def test_below_a_third_of_a_pixel_nothing_is_changed():
    image = torch.rand(1, 3, 8, 8)
    assert blurred(image, 0.33) is image
    assert Blur(0.0)(image, make_generator("x")) is image


def test_a_schedule_reaches_a_part_of_a_composition_by_its_place():
    augment = ComposeAugments([dict(type="Blur", sigma=2.0), dict(type="DiffAugment")])
    write = attribute_setter(augment, "augment.parts.0.sigma", "parts.0.sigma")
    write(0.5)
    assert augment.parts[0].sigma == 0.5
    with pytest.raises(ValueError, match="there are 2 entries, counted from 0"):
        attribute_setter(augment, "augment.parts.2.sigma", "parts.2.sigma")


@pytest.mark.parametrize("sigma", [-1.0, math.inf, math.nan])
def test_a_sigma_that_cannot_be_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma must be finite and not negative"):
        Blur(sigma)
