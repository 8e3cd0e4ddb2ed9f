import pytest
import torch
from scipy.stats import wasserstein_distance

from mmcgan.evaluation.metrics.sliced_wasserstein import (
    cut_patches,
    laplacian_pyramid,
    normalise_patches,
    sliced_wasserstein,
    sliced_wasserstein_distance,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=24, side=32, seed=0):
    return torch.rand(count, 3, side, side, generator=seeded(seed)) * 255


def swd(real, fake, seed=0, patches=16, **options):
    return sliced_wasserstein_distance(
        real, fake, seeded(seed), patches_per_image=patches, repeats=2, directions=32, **options
    )


def test_one_direction_is_scipys_distance():
    first, second = torch.randn(50, 1, generator=seeded(1)), torch.randn(50, 1, generator=seeded(2)) + 1
    expected = wasserstein_distance(first.flatten().numpy(), second.flatten().numpy())
    for scale in (1.0, -7.0):  # directions are normalised
        assert sliced_wasserstein(first, second, torch.full((1, 1, 1), scale)) == pytest.approx(
            expected, 1e-5
        )


def test_directions_and_repeats_are_averaged():
    first, second = torch.zeros(4, 2), torch.tensor([[3.0, 1.0]]).expand(4, 2)
    assert sliced_wasserstein(first, second, torch.eye(2)[None]) == pytest.approx(2)
    assert sliced_wasserstein(first, second, torch.eye(2)[:, :, None]) == pytest.approx(2)


@pytest.mark.parametrize("rule", ["pggan", "mmagic"])
def test_a_pyramid_adds_up_to_the_image(rule):
    from mmcgan.evaluation.metrics.sliced_wasserstein import enlarged

    image = images(2)
    fine, coarse = laplacian_pyramid(image, 2, rule)
    assert coarse.shape == (2, 3, 16, 16)
    torch.testing.assert_close(fine + enlarged(coarse, rule), image, rtol=1e-5, atol=1e-3)


def test_flat_images_have_nothing_but_their_low_pass():
    fine, coarse = laplacian_pyramid(torch.full((1, 3, 32, 32), 9.0), 2)
    assert fine.abs().max() < 1e-4
    torch.testing.assert_close(coarse, torch.full((1, 3, 16, 16), 9.0), rtol=1e-5, atol=0)


def test_patches_lie_around_their_centres():
    image = torch.arange(2 * 16 * 16).view(2, 1, 16, 16).float()
    patches = cut_patches(image, x=torch.tensor([3, 9, 5, 3]), y=torch.tensor([4, 3, 12, 3]))
    assert patches[:, 0, 3, 3].tolist() == [16 * 4 + 3, 16 * 3 + 9, 256 + 16 * 12 + 5, 256 + 16 * 3 + 3]
    assert patches[0, 0].T.equal(image[0, 0, 1:8, 0:7])


def test_patches_are_normalised_per_channel():
    rows = normalise_patches(torch.randn(30, 3, 7, 7, generator=seeded()) * 5 + 40).unflatten(1, (3, 49))
    assert rows.mean(dim=(0, 2)).abs().max() < 1e-5
    torch.testing.assert_close(rows.std(dim=(0, 2)), torch.ones(3), rtol=1e-4, atol=0)


def test_blurred_images_differ_at_the_finest_level_most():
    real, other = images(seed=1), images(seed=2)
    blurred = torch.nn.functional.avg_pool2d(other, 3, 1, 1)
    same, changed = (swd(real, fake, patches=128) for fake in (other, blurred))
    assert set(same) == {"swd_32", "swd_16", "swd"}
    assert same["swd"] == pytest.approx((same["swd_32"] + same["swd_16"]) / 2)
    assert changed["swd_32"] > 2 * same["swd_32"]


def test_the_same_draws_give_the_same_figures():
    real, fake = images(seed=1), images(seed=2)
    assert swd(real, fake) == swd(real, fake)
    assert swd(real, fake) != swd(real, fake, seed=1)
    assert swd(real.byte(), fake.byte()) == swd(real.byte().float(), fake.byte().float())


@pytest.mark.parametrize(
    ("real", "fake", "options", "phrase"),
    [
        (images(4), images(5), {}, "two equal batches"),
        (images(4, 24), images(4, 24), {}, "side of 16, 32, 64, ... pixels, got 24 x 24"),
        (images(4, 8), images(4, 8), {}, "got 8 x 8"),
        (images(4), images(4), dict(rule="matlab"), "rule='matlab': choose one of pggan, mmagic"),
    ],
)
def test_mistakes_are_named(real, fake, options, phrase):
    with pytest.raises(ValueError, match=phrase):
        swd(real, fake, **options)
