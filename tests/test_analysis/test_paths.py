"""Interpolation, perturbation and orders of labels."""

import math

import pytest
import torch

from mmcgan.analysis import ascending_labels, interpolate, perturb, some_ascending_labels
from mmcgan.random import make_generator


def test_both_ways_begin_and_end_where_they_should():
    first, second = torch.randn(3, 5), torch.randn(3, 5)
    for method in ("linear", "spherical"):
        path = interpolate(first, second, 4, method)
        assert path.shape == (3, 4, 5)
        torch.testing.assert_close(path[:, 0], first)
        torch.testing.assert_close(path[:, -1], second)
    torch.testing.assert_close(
        interpolate(first, second, 5)[:, 2], (first + second) / 2
    )  # the middle of a line


def test_a_spherical_way_keeps_the_length_and_the_angular_speed():
    first, second = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    path = interpolate(first, second, 4, "spherical")[0]
    angles = torch.atan2(path[:, 1], path[:, 0])
    torch.testing.assert_close(path.norm(dim=1), torch.full((4,), 2.0))
    torch.testing.assert_close(angles, torch.linspace(0, math.pi / 2, 4))


def test_parallel_and_opposite_vectors_go_along_the_line():
    vector = torch.tensor([[1.0, 2.0]])
    for other in (3 * vector, -vector, vector):
        path = interpolate(vector, other, 5, "spherical")
        torch.testing.assert_close(path, interpolate(vector, other, 5))


def test_perturbed_latents_lie_as_far_as_asked():
    latent = torch.randn(4000, 3, generator=make_generator(0))
    moved = perturb(latent, 0.05, make_generator(1)) - latent
    assert abs(moved.std() - 0.05) < 0.002
    moved = perturb(latent, 0.05, make_generator(1), uniform=True) - latent
    assert moved.abs().max() <= 0.0501 and moved.abs().max() > 0.049


def test_orders_of_labels():
    assert ascending_labels(3, 2).tolist() == [0, 0, 1, 1, 2, 2]
    some = some_ascending_labels(10, 4, make_generator(0), copies=3).view(4, 3)
    assert len(set(some[:, 0].tolist())) == 4 and (some == some[:, :1]).all()


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="at least 2 steps, got 1"):
        interpolate(torch.zeros(1, 2), torch.ones(1, 2), 1)
    with pytest.raises(ValueError, match="method='cubic': choose one of linear, spherical"):
        interpolate(torch.zeros(1, 2), torch.ones(1, 2), 3, "cubic")
    with pytest.raises(ValueError, match=r"cannot interpolate between \(1, 2\) and \(1, 3\)"):
        interpolate(torch.zeros(1, 2), torch.ones(1, 3), 3)
    with pytest.raises(ValueError, match="radius must be greater than 0, got 0"):
        perturb(torch.zeros(1, 2), 0, make_generator(0))
    with pytest.raises(ValueError, match=r"number of classes must lie in 1\.\.3, got 4"):
        some_ascending_labels(3, 4, make_generator(0))
    with pytest.raises(ValueError, match="num_classes and copies must be at least 1, got 3 and 0"):
        ascending_labels(3, 0)
