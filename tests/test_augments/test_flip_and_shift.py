import pytest
import torch

from mmcgan.augments import FlipAndShift
from mmcgan.random import make_generator
from mmcgan.registry import AUGMENTS
from tests.test_augments.drawn import FixedDraws


def counting_image(n=1, height=8, width=8):
    return torch.arange(n * 3 * height * width, dtype=torch.float64).reshape(n, 3, height, width)


def test_flip_mirrors_left_to_right():
    image = counting_image(2, 8, 6)
    draws = FixedDraws(image, shift_rows=0, shift_columns=0)
    assert FlipAndShift().transform(image, draws).equal(image.flip(-1))


def test_shift_fills_in_by_reflection_without_repeating_the_border():
    image = counting_image(1, 16, 16)
    draws = FixedDraws(image, chosen=False, shift_rows=2, shift_columns=-1)
    shifted = FlipAndShift().transform(image, draws)
    assert shifted[..., :14, 1:].equal(image[..., 2:, :-1])
    assert shifted[..., 14, 1:].equal(image[..., 14, :-1])
    assert shifted[..., :14, 0].equal(image[..., 2:, 1])


def test_every_image_gets_its_own_flip_and_shifts_over_the_whole_range():
    image = torch.arange(16.0).expand(4000, 1, 16, 16)
    out = FlipAndShift()(image, make_generator(0, "test"))
    mirrored = out[:, 0, 0, 8] > out[:, 0, 0, 9]
    assert 0.46 < mirrored.double().mean() < 0.54
    shift = (out[~mirrored][:, 0, 0, 8] - 8).unique()
    assert shift.tolist() == [-2, -1, 0, 1, 2]


def test_without_flip_and_shift_nothing_changes():
    image = counting_image(3)
    assert FlipAndShift(flip=0, shift=0)(image, make_generator(0)).equal(image)


def test_same_seed_gives_the_same_result():
    image = counting_image(8)
    first, second, other = (FlipAndShift()(image, make_generator(seed)) for seed in (1, 1, 2))
    assert first.equal(second)
    assert not first.equal(other)


def test_first_and_second_gradients_reach_the_image():
    image = torch.randn(2, 2, 4, 8, dtype=torch.float64, requires_grad=True)

    def function(x):
        return FlipAndShift()(x, make_generator(3)).square().sum((1, 2, 3))

    assert torch.autograd.gradcheck(function, image)
    assert torch.autograd.gradgradcheck(function, image)


@pytest.mark.parametrize(("setting", "value"), [("flip", 1.5), ("shift", 1.0), ("shift", -0.1)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=rf"{setting} must lie in \[0, 1.*got {value}"):
        AUGMENTS.build(dict(type="FlipAndShift", **{setting: value}))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_tiny_images_keep_their_shape(size):
    image = counting_image(2, size, size)
    assert FlipAndShift(shift=0.99)(image, make_generator(0)).shape == image.shape
