"""Path lengths of maps whose length is known."""

import math

import pytest
import torch

from mmcgan.evaluation.metrics.path_length import perceptual_path_length, slerp, trimmed_mean


def ends(count=40, width=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(count, width, generator=generator, dtype=torch.float64) for _ in range(2))


def squared(first, second):
    return (first - second).square().sum(dim=1)


def length(latents, synthesize=lambda latent, rows: latent, **options):
    return perceptual_path_length(synthesize, squared, latents, torch.Generator().manual_seed(1), **options)


def test_slerp_walks_the_great_circle_at_even_speed():
    first, second = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 0.5]])
    for position in (0.0, 0.25, 1.0):
        angle = position * math.pi / 2
        expected = [math.cos(angle), math.sin(angle)]
        assert slerp(first, second, position)[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert slerp(first, first, 0.5)[0].tolist() == pytest.approx([1, 0], abs=1e-6)


def test_length_of_a_straight_path_is_the_squared_gap():
    latents = ends()
    expected = trimmed_mean(squared(*latents))
    assert length(latents, interpolation="linear") == pytest.approx(expected, rel=1e-6)
    tripled = length(latents, lambda latent, rows: 3 * latent, interpolation="linear")
    assert tripled == pytest.approx(9 * expected, rel=1e-6)


def test_length_of_a_great_circle_is_the_squared_angle():
    latents = ends()
    cosine = torch.nn.functional.cosine_similarity(*latents)
    assert length(latents) == pytest.approx(trimmed_mean(cosine.acos().square()), rel=1e-4)


def test_the_end_is_the_start_of_the_path():
    # the map changes only in the first half of the path
    start, stop = torch.zeros(40, 1).double(), torch.ones(40, 1).double()
    options = dict(synthesize=lambda latent, rows: latent.clamp_max(0.5), interpolation="linear")
    assert length((start, stop), whole_path=False, **options) == pytest.approx(1, rel=1e-6)
    assert 0 < length((start, stop), whole_path=True, **options) < 0.9


def test_batches_do_not_matter_and_know_their_rows():
    latents, seen = ends(), []

    def synthesize(latent, rows):
        seen.append((rows.start, len(latent)))
        return latent

    assert length(latents, synthesize, batch_size=15) == pytest.approx(length(latents), rel=1e-9)
    assert seen == [(0, 15), (0, 15), (15, 15), (15, 15), (30, 10), (30, 10)]


def test_the_extremes_are_left_out():
    values = torch.cat([torch.ones(198), torch.tensor([-1e6, 1e6])])
    assert trimmed_mean(values, share=0.005) != pytest.approx(1)
    values = torch.arange(1, 1001).double()
    values[[0, 999]] = torch.tensor([-1e9, 1e9]).double()
    assert trimmed_mean(values) == pytest.approx(500.5, abs=0.51)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        (dict(interpolation="cubic"), "interpolation='cubic': choose one of spherical, linear"),
        (dict(epsilon=0.0), "epsilon must be positive, got 0.0"),
        (dict(latents=(torch.zeros(3, 2), torch.zeros(2, 2))), r"got \(3, 2\) and \(2, 2\)"),
        (dict(synthesize=lambda latent, rows: latent * float("nan")), "all of them finite"),
    ],
)
def test_mistakes_are_named(change, phrase):
    with pytest.raises(ValueError, match=phrase):
        length(**{"latents": ends(), **change})
