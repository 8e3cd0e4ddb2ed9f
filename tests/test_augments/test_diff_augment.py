import math

import pytest
import torch

from mmcgan.augments import DiffAugment
from mmcgan.random import make_generator
from tests.test_augments.drawn import FixedDraws


def noise(n=2, size=8):
    return torch.randn(n, 3, size, size, generator=make_generator(0), dtype=torch.float64)


def changed(policy, image, **values):
    return DiffAugment([policy]).transform(image, FixedDraws(image, **values))


def test_brightness_adds_the_same_to_every_value():
    image = noise()
    assert torch.allclose(changed("brightness", image, brightness=0.9) - image, torch.tensor(0.4).double())


def test_saturation_keeps_the_mean_of_the_channels():
    image = noise()
    grey = changed("saturation", image, saturation=0.0)
    assert torch.allclose(grey, image.mean(1, keepdim=True).expand_as(image))
    vivid = changed("saturation", image, saturation=1.0)
    assert torch.allclose(vivid.mean(1), image.mean(1))
    assert torch.allclose(vivid - vivid.mean(1, keepdim=True), 2 * (image - image.mean(1, keepdim=True)))


def test_contrast_keeps_the_mean_of_the_image():
    image = noise()
    flat = changed("contrast", image, contrast=0.0)
    assert torch.allclose(flat.mean((1, 2, 3)), image.mean((1, 2, 3)))
    assert torch.allclose(flat.std((1, 2, 3)), 0.5 * image.std((1, 2, 3)))


def test_translation_moves_up_and_left_and_fills_in_with_mid_grey():
    image = noise(size=16)
    moved = changed("translation", image, shift_rows=2, shift_columns=-1)
    assert moved[..., :14, 1:].equal(image[..., 2:, :-1])
    assert moved[..., 14:, :].abs().max() == 0
    assert moved[..., 0].abs().max() == 0


@pytest.mark.parametrize(("size", "length"), [(8, 4), (9, 5), (28, 14)])
def test_cutout_is_half_as_wide_and_may_stick_out(size, length):
    image = torch.ones(1, 3, size, size)
    whole = changed("cutout", image, hole_row=size // 2, hole_column=size // 2)
    assert (whole == 0).sum() == 3 * length**2
    corner = changed("cutout", image, hole_row=0, hole_column=size - length % 2)
    assert (corner == 0).sum() == 3 * math.ceil(length / 2) ** 2


def test_a_policy_is_applied_in_its_order():
    image = noise()
    draws = dict(brightness=0.9, hole_row=4, hole_column=4)
    first = DiffAugment(["cutout", "brightness"]).transform(image, FixedDraws(image, **draws))
    second = DiffAugment(["brightness", "cutout"]).transform(image, FixedDraws(image, **draws))
    assert first[0, 0, 4, 4] == pytest.approx(0.4)
    assert second[0, 0, 4, 4] == 0


def test_parameters_are_spread_as_in_the_paper():
    n = 4000
    spread = DiffAugment(["brightness"])(torch.zeros(n, 3, 1, 1), make_generator(1)).mean((1, 2, 3))
    assert (float(spread.min()), float(spread.max())) == pytest.approx((-0.5, 0.5), abs=0.01)
    ramp = torch.arange(1.0, 17).expand(n, 3, 16, 16)
    centre = DiffAugment(["translation"])(ramp, make_generator(2))[:, 0, 8, 8]
    counts = torch.stack([(centre == 9 + shift).double().mean() for shift in range(-2, 3)])
    assert torch.allclose(counts, torch.tensor(0.2).double(), atol=0.03)


def test_first_and_second_gradients_reach_the_image():
    image = noise(1, 5).requires_grad_()

    def function(x):
        return DiffAugment()(x, make_generator(3)).square().sum((1, 2, 3))

    assert torch.autograd.gradcheck(function, image)
    assert torch.autograd.gradgradcheck(function, image)


def test_same_draw_treats_real_and_fake_alike():
    image = noise(4).float()
    first, second = DiffAugment(same_draw=True).both(image, image, make_generator(4))
    assert first.equal(second)
    first, second = DiffAugment().both(image, image, make_generator(4))
    assert not torch.allclose(first, second)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"unknown name 'color'.*Did you mean 'colour'.*translation"):
        DiffAugment(["color"])
    with pytest.raises(ValueError, match="must name at least one of colour, translation, cutout"):
        DiffAugment([])
    with pytest.raises(ValueError, match=r"cutout must lie in \[0, 1\], got 1.5"):
        DiffAugment(cutout=1.5)
    with pytest.raises(ValueError, match="3 x 8 are too small; the smallest it takes is 4 x 4"):
        DiffAugment()(torch.zeros(1, 3, 3, 8), make_generator(0))
