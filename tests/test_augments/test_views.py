import pytest
import torch

from mmcgan.augments import BYOLAugment, SimCLRAugment
from mmcgan.augments.views import RandomView, ViewSettings, luma
from mmcgan.random import make_generator
from tests.test_augments.drawn import FixedDraws

STILL = ViewSettings(crop=(1.0, 1.0), brightness=0, contrast=0, saturation=0, hue=0, jitter=0, grey=0, blur=0)


def picture(n=2, size=16):
    return torch.rand(n, 3, size, size, generator=make_generator(0), dtype=torch.float64) * 2 - 1


def view(image, chosen=False, settings=STILL, **draws):
    return RandomView(settings).transform(image, FixedDraws(image, chosen=chosen, **draws))


def test_without_changes_the_view_is_the_image():
    image = picture()
    assert torch.allclose(view(image, area=1.0), image, atol=1e-9)


def test_mirror():
    image = picture()
    assert torch.allclose(view(image, mirror=True), image.flip(-1), atol=1e-9)


def test_a_crop_enlarges_its_rectangle():
    y, x = torch.arange(16.0)[:, None], torch.arange(16.0)
    ramp = (x + 100 * y).expand(1, 3, 16, 16).double()
    crop = view(ramp, settings=ViewSettings(crop=(0.25, 0.25)), place=torch.tensor([[1.0, 0.0]]))
    # the upper right quarter: half a pixel a step
    assert torch.allclose(crop[0, 0, 2, 2:-2].diff(), torch.tensor(0.5).double())
    assert torch.allclose(crop[0, 0, 2:-2, 2].diff(), torch.tensor(50.0).double())
    assert crop[0, 0, 0, -1] == pytest.approx(15, abs=0.3)


def test_crops_keep_the_area_asked_for():
    ramp = torch.arange(32.0).expand(500, 1, 32, 32)
    both = torch.cat([ramp, ramp.transpose(2, 3), ramp], dim=1).double()
    only_crop = ViewSettings(crop=(0.3, 0.3), jitter=0, grey=0, blur=0)
    out = RandomView(only_crop)(both, make_generator(1))
    width = (out[:, 0, 16, 24] - out[:, 0, 16, 8]).abs() / 16
    height = (out[:, 1, 24, 16] - out[:, 1, 8, 16]).abs() / 16
    assert torch.allclose(width * height, torch.tensor(0.3).double(), atol=1e-6)
    assert 0.74 < float((width / height).min()) < 0.77
    assert 1.31 < float((width / height).max()) < 1.34


def test_saturation_and_grey_keep_luma():
    image = picture()
    settings = ViewSettings(crop=(1.0, 1.0), brightness=0, contrast=0, hue=0, jitter=1, blur=0)
    vivid = view(image, settings=settings, saturation=1.0, jitter=True)
    assert torch.allclose(luma(vivid), luma(image))
    assert (vivid - luma(vivid)).abs().sum() > 1.5 * (image - luma(image)).abs().sum()
    grey = view(image, grey=True)
    assert torch.allclose(grey, luma(image).expand_as(image))


def test_solarise_mirrors_what_is_above_mid_grey():
    image = picture()
    assert torch.allclose(view(image, solarise=True), -image.abs(), atol=1e-9)


def test_blur_smooths():
    image = picture(size=32)
    blurred = view(image, settings=ViewSettings((1.0, 1.0), jitter=0, grey=0, blur=1), blur=True)
    assert blurred.std() < 0.8 * image.std()
    assert torch.allclose(blurred.mean(), image.mean(), atol=0.05)


@pytest.mark.parametrize("kind", [SimCLRAugment, BYOLAugment])
@pytest.mark.parametrize("size", [16, 28, 32])
def test_views_are_differentiable_at_any_size(kind, size):
    image = picture(8, size).requires_grad_()
    out = kind()(image, make_generator(2))
    assert out.shape == image.shape
    assert out.equal(kind()(image, make_generator(2)))
    out.sum().backward()
    assert (image.grad.flatten(1).abs().sum(1) > 0).all()


def test_gradients_are_right():
    image = picture(1, 6).requires_grad_()
    function = SimCLRAugment(crop=(0.3, 0.9))
    assert torch.autograd.gradcheck(lambda x: function(x, make_generator(3)), image, fast_mode=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SimCLRAugment(crop=(0.5, 0.2)), r"crop must be \(smallest, largest\).*got \(0.5, 0.2\)"),
        (lambda: SimCLRAugment(strength=2), r"strength must lie in \[0, 1.25\], got 2"),
        (lambda: BYOLAugment(solarise=-1), r"solarise must lie in \[0, 1\], got -1"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
