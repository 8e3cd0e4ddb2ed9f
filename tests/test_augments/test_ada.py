import math

import pytest
import torch

from mmcgan.augments import ADA
from mmcgan.augments.ada import BAND_POWER, GROUPS
from mmcgan.augments.filters import filter_images
from mmcgan.augments.wavelets import filter_bank
from mmcgan.random import make_generator
from mmcgan.registry import AUGMENTS
from tests.test_augments.drawn import FixedDraws

ALL = ("bgcfnc",)


def noise(n=2, size=16, dtype=torch.float64):
    return torch.randn(n, 3, size, size, generator=make_generator(0), dtype=dtype)


def changed(name, image, **draws):
    return ADA([name], p=1.0).transform(image, FixedDraws(image, **draws))


def test_nothing_changes_at_p_0():
    image = noise(8)
    assert ADA(ALL, p=0.0)(image, make_generator(1)).equal(image)
    assert ADA(ALL)(image, make_generator(1)).equal(image)


@pytest.mark.parametrize("size", [8, 16, 28, 32, 64])
def test_every_transform_works_at_any_size(size):
    image = noise(6, size, torch.float32).requires_grad_()
    out = ADA(ALL, p=1.0)(image, make_generator(2))
    assert out.shape == image.shape
    out.square().sum().backward()
    assert image.grad.isfinite().all()
    assert (image.grad.flatten(1).abs().sum(1) > 0).all()


def test_images_need_not_be_square():
    image = noise(4)[..., :9]
    assert ADA(ALL, p=1.0)(image, make_generator(2)).shape == image.shape


def test_the_border_is_reflected_never_empty():
    image = torch.ones(64, 3, 16, 16)
    out = ADA(["blit", "geometric"], p=1.0)(image, make_generator(3))
    assert torch.allclose(out, image, atol=1e-4)


def test_same_seed_gives_the_same_result():
    image = noise()
    results = [ADA(ALL, p=0.8)(image, make_generator(seed)) for seed in (1, 1, 2)]
    assert results[0].equal(results[1])
    assert not torch.allclose(results[0], results[2])


@pytest.mark.parametrize("p", [0.2, 0.7])
@pytest.mark.parametrize("name", ["brightness", "xfrac", "rotate", "noise", "cutout"])
def test_a_transform_hits_a_share_p_of_the_images(name, p):
    image = noise(1000, 8, torch.float32)
    hit = (ADA([name], p=p)(image, make_generator(4)) != image).flatten(1).any(1)
    assert float(hit.float().mean()) == pytest.approx(p, abs=0.05)


def test_half_the_flips_leave_the_image_alone():
    image = noise(1000, 8, torch.float32)
    hit = (ADA(["xflip"], p=0.8)(image, make_generator(4)) != image).flatten(1).any(1)
    assert float(hit.float().mean()) == pytest.approx(0.4, abs=0.05)


def test_the_second_gradient_reaches_the_image():
    image = noise(1, 8).requires_grad_()

    def function(x):
        return ADA(ALL, p=1.0)(x, make_generator(5)).square().sum((1, 2, 3))

    assert torch.autograd.gradcheck(function, image, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, image, fast_mode=True)


def test_a_quarter_turn_and_an_integer_shift():
    size = 16
    x = torch.cos(math.pi * torch.arange(size, dtype=torch.float64) / (size - 1))
    image = (x + 0.5 * x[:, None]).expand(1, 3, size, size)
    turned = changed("rotate90", image, rotate90=0.3)
    assert torch.allclose(turned, image.rot90(1, (-2, -1)), atol=0.1)
    moved = changed("xint", image, xint=torch.tensor([[0.9, 0.5]]))
    assert torch.allclose(moved[..., 2:], image[..., :-2], atol=1e-6)


def test_cutout_removes_a_quarter_around_its_centre():
    image = torch.ones(1, 3, 16, 16)
    out = changed("cutout", image, cutout=torch.tensor([[0.5, 0.25]]))
    assert out[..., :8, 4:12].abs().max() == 0
    assert out.sum() == 3 * (256 - 64)


def test_the_filter_keeps_the_expected_power():
    power = torch.tensor(BAND_POWER, dtype=torch.float64)
    image = noise(1, 32)
    out = changed("filter", image, imgfilter2=2.0)
    gains = torch.tensor([1, 1, 4, 1], dtype=torch.float64)
    gains = gains / (power * gains.square()).sum().sqrt()
    assert torch.allclose(out, filter_images(image, (gains @ filter_bank())[None]))
    assert float((power * gains.square()).sum()) == pytest.approx(1)


def test_noise_has_the_drawn_deviation():
    image = torch.zeros(1, 3, 64, 64)
    draws = FixedDraws(image, noise_level=-2.0, noise=0.5)
    assert torch.allclose(ADA(["noise"], p=1.0).transform(image, draws), torch.tensor(0.1))


def test_single_transforms_and_presets_are_names_too():
    assert ADA(["bg"], p=0.1).transforms == GROUPS["blit"] + GROUPS["geometric"]
    assert ADA(["xint", "colour"], p=0.1).transforms == ("xint", *GROUPS["colour"])
    assert len(ADA(ALL, p=0.1).transforms) == 15


def test_computes_in_full_precision_under_autocast():
    image = noise(dtype=torch.float32)
    expected = ADA(p=1.0)(image, make_generator(6))
    with torch.autocast("cpu", torch.bfloat16):
        assert ADA(p=1.0)(image, make_generator(6)).equal(expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(transforms=["geom"]), r"ADA: transforms: unknown name 'geom'.*'geometric'.*saturation"),
        (dict(p=1.2), r"p must lie in \[0, 1\], got 1.2"),
        (dict(adapt=dict(target=1.5)), r"target must lie in \[-1, 1\], got 1.5"),
        (dict(adapt=dict(kimg=0)), "kimg must be positive.*kimg=0"),
        (dict(adapt=dict(interval=0)), "interval at least 1.*interval=0"),
        (dict(adapt=dict(reading="omni")), "unknown reading 'omni'.*real_minus_fake"),
        (dict(adapt=dict(against="real")), r"against='real' is not possible; allowed: \['zero', 'fake'\]"),
        (dict(adapt=dict(logits="adv.logit")), "adapt takes no 'logits'. Did you mean 'logit'"),
    ],
)
def test_mistakes_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        AUGMENTS.build(dict(type="ADA", **settings))


def test_images_may_be_too_small_for_a_filter_but_not_for_a_colour():
    image = torch.zeros(1, 3, 6, 6)
    with pytest.raises(
        ValueError, match="ADA: images of 6 x 6 are too small; the smallest it takes is 8 x 8"
    ):
        ADA(["filter"], p=1.0)(image, make_generator(0))
    assert ADA(["colour"], p=1.0)(image, make_generator(0)).shape == image.shape


def test_shares_make_some_transforms_rarer():
    image = torch.rand(2000, 3, 8, 8) * 2 - 1
    augment = ADA(("brightness", "xflip"), p=0.8, shares=dict(brightness=0.25, xflip=0.0))
    changed = augment(image, torch.Generator().manual_seed(0))
    share = (changed != image).flatten(1).any(1).float().mean()
    assert abs(float(share) - 0.2) < 0.04


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (dict(xflip=1.5), r"shares\['xflip'\] must lie in \[0, 1\]"),
        (dict(cutout=0.5), "not among transforms"),
    ],
)
def test_impossible_shares_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        ADA(("blit",), p=0.5, shares=shares)
