"""Searches in corners that a drawn distribution does not reach."""

import numpy as np
import pytest
import torch

from mmcgan.evaluation import kth_neighbour_distances, nearest_neighbours, prdc
from mmcgan.instances.kmeans import kmeans
from mmcgan.instances.neighbours import NeighbourSearch, TensorRows
from mmcgan.neighbours.balls import count_balls
from mmcgan.neighbours.pairs import measure, pair_distances
from mmcgan.neighbours.selection import smallest, sparse_pairs
from tests.test_neighbours.distributions import pair, plain


def cloud(count, width=24, seed=0, kind="normal"):
    return pair(kind, (count, 9), width, seed)[0]


@pytest.fixture(params=[torch.bfloat16, torch.float32], ids=["bfloat16", "float32"])
def product(request, monkeypatch):
    """Both precisions of products, and blocks so small that every case has several."""
    monkeypatch.setattr("mmcgan.neighbours.bounds.product_dtype", lambda device: request.param)
    for name, size in (("ROW_BLOCK", 40), ("COLUMN_BLOCK", 48)):
        monkeypatch.setattr(f"mmcgan.neighbours.balls.{name}", size)
    return request.param


def test_double_precision_features_keep_their_digits(product):
    points = cloud(60).double()
    points[1] = points[0] + 1e-12
    assert kth_neighbour_distances(points, 1)[0] == pytest.approx(1e-12 * 24**0.5, rel=1e-3)


def test_balls_with_and_without_their_surface(product):
    real, fake = torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 7.0]])
    radii = torch.tensor([5.0, 1.0]), torch.tensor([5.0, 1.0])
    open_, closed = (count_balls(real, fake, *radii, closed=value) for value in (False, True))
    assert open_.real_balls.tolist() == [0, 0]
    assert closed.real_balls.tolist() == [1, 0]
    assert (open_.in_fake_ball.tolist(), closed.in_fake_ball.tolist()) == ([False] * 2, [True, False])


def test_a_pair_has_one_distance_wherever_it_stands():
    first, second = pair("normal", (90, 70), 300, 0)
    row, column = (
        index.flatten() for index in torch.meshgrid(torch.arange(90), torch.arange(70), indexing="ij")
    )
    found = pair_distances(first, second, row, column)
    assert torch.equal(found, pair_distances(second, first, column, row))
    assert torch.equal(found[777:778], pair_distances(first, second, row[777:778], column[777:778]))
    every = torch.arange(90), torch.arange(70), torch.ones(90, 70, dtype=torch.bool)
    assert torch.equal(measure(first, second, *every)[2], found)


def test_products_are_not_rounded_behind_our_back():
    """The user's own settings of speed are kept, and change no figure."""
    points = cloud(300, 64, kind="clumps")
    expected = np.sort(plain(points, points), axis=1)[:, 3].astype(float)
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", torch.bfloat16):
            found = kth_neighbour_distances(points, 3)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_what_bounds_leave_open_is_measured_in_bounded_memory(monkeypatch):
    """No bound looks into the two clumps: every pair within is open, and is measured block by block."""
    sizes = []

    def watched(first, second, rows, columns, near):
        sizes.append(near.numel())
        return measure(first, second, rows, columns, near)

    monkeypatch.setattr("mmcgan.neighbours.nearest.measure", watched)
    monkeypatch.setattr("mmcgan.neighbours.nearest.EXACT_BLOCK", 512)
    points = pair("far apart", (1200, 9), 8, 0, dtype=torch.float64)[0]
    distance, row = nearest_neighbours(points, points, 2)
    assert (distance[:, 0] == 0).all() and row[:, 0].tolist() == list(range(1200))
    expected = np.sort(plain(points[:40], points), axis=1)[:, 1].astype(float)
    np.testing.assert_allclose(distance[:40, 1], expected, rtol=1e-12)
    assert len(sizes) == 9 and max(sizes) == 512**2


@pytest.mark.parametrize("radius", [-1.0, float("nan")])
def test_radii_that_are_none_are_refused(radius):
    points, radii = cloud(9), torch.ones(9)
    with pytest.raises(ValueError, match=r"9 real radii of at least 0, got .* 1 are negative or NaN"):
        count_balls(points, points, radii.index_fill(0, torch.tensor([4]), radius), radii)


def test_infinite_balls_hold_everything():
    points = cloud(9)
    counts = count_balls(points, points + 5, torch.full((9,), torch.inf), torch.zeros(9))
    assert counts.real_balls.tolist() == [9] * 9 and not counts.in_fake_ball.any()


def test_smallest_finds_what_a_full_sort_finds():
    values = torch.randn(5, 1003, generator=torch.Generator().manual_seed(0))
    found, column = smallest(values, 7)
    assert torch.equal(found, values.sort(dim=1).values[:, :7])
    assert torch.equal(values.gather(1, column), found)


def test_sparse_pairs_are_all_pairs():
    mask = torch.rand(13, 64, generator=torch.Generator().manual_seed(0)) < 0.02
    for value in (mask, mask[:, :61]):
        assert torch.equal(torch.stack(sparse_pairs(value)), torch.stack(value.nonzero(as_tuple=True)))


@pytest.mark.parametrize(
    ("real", "fake", "k", "phrase"),
    [
        (cloud(9), cloud(9), 9, "k=9 nearest neighbours need more than 9 real and generated images"),
        (cloud(9), cloud(9), 0, "k at least 1"),
        (cloud(9), cloud(9, 20), 3, "real features have 24 dimensions, fake features 20"),
        (cloud(9), cloud(9) * float("nan"), 3, "fake features of 9 of 9 images are NaN"),
        (cloud(9)[:0], cloud(9), 3, "there are no real features"),
        (cloud(9)[:, :0], cloud(9)[:, :0], 3, "real features have no dimension"),
        (cloud(9).long(), cloud(9), 3, r"must be floating point \(N, F\), got torch.int64"),
    ],
)
def test_what_cannot_be_compared_is_named(real, fake, k, phrase):
    with pytest.raises(ValueError, match=phrase):
        prdc(real, fake, k)


@pytest.mark.parametrize(
    "ask",
    [
        lambda none: kth_neighbour_distances(none, 2),
        lambda none: nearest_neighbours(none, none, 2),
        lambda none: NeighbourSearch(TensorRows(none), 2),
        lambda none: kmeans(TensorRows(none), 2),
    ],
)
def test_vectors_without_numbers_are_refused_everywhere(ask):
    with pytest.raises(ValueError, match="features have no dimension"):
        ask(torch.zeros(5, 0))
