import pytest
import torch

from mmcgan.evaluation import kth_neighbour_distances, nearest_neighbours, prdc
from mmcgan.evaluation.statistics import distances as distances_module
from mmcgan.evaluation.statistics.distances import PairBounds, point_sets, smallest, sparse_pairs
from mmcgan.evaluation.statistics.neighbours import count_balls


def cloud(count, width=24, seed=0, kind="normal"):
    generator = torch.Generator().manual_seed(seed)
    if kind == "grid":  # many equal distances, as of quantised features
        return torch.randint(0, 3, (count, width), generator=generator).float()
    points = torch.randn(count, width, generator=generator)
    if kind == "far":  # a large common offset, where |x|² + |y|² - 2xy loses its digits
        return points * 1e-2 + 100
    if kind == "duplicates":
        return points[torch.randint(0, 20, (count,), generator=generator)]
    return points


def plain_distances(first, second):
    """Every pair by its own difference in float64, rounded as the prdc package rounds."""
    return (first.double()[:, None] - second.double()).square().sum(-1).sqrt().to(first.dtype)


def plain_prdc(real, fake, k):
    within = [plain_distances(side, side).sort(dim=1).values[:, k] for side in (real, fake)]
    across = plain_distances(real, fake)
    inside = across < within[0][:, None]
    return {
        "precision": float(inside.any(0).double().mean()),
        "recall": float((across < within[1]).any(1).double().mean()),
        "density": float(inside.double().sum(0).mean()) / k,
        "coverage": float((across.min(1).values < within[0]).double().mean()),
    }


@pytest.fixture(params=[torch.bfloat16, torch.float32], ids=["bfloat16", "float32"])
def product(request, monkeypatch):
    """Both precisions of products, and blocks so small that every case has several."""
    monkeypatch.setattr(distances_module, "product_dtype", lambda device: request.param)
    for name, size in (("ROW_BLOCK", 40), ("COLUMN_BLOCK", 48)):
        monkeypatch.setattr(f"mmcgan.evaluation.statistics.neighbours.{name}", size)
    return request.param


@pytest.mark.parametrize("kind", ["normal", "grid", "far", "duplicates"])
def test_prdc_is_that_of_every_exact_distance(product, kind):
    real, fake = cloud(130, seed=1, kind=kind), cloud(95, seed=2, kind=kind)
    fake[:5] = real[:5]  # images in both sets: distances that are exactly equal
    assert prdc(real, fake, 5) == plain_prdc(real, fake, 5)


@pytest.mark.parametrize("kind", ["normal", "grid", "far", "duplicates"])
def test_radius_is_the_kth_other_vector(product, kind):
    points = cloud(121, kind=kind)
    expected = plain_distances(points, points).sort(dim=1).values
    for k in (1, 4):
        assert torch.equal(kth_neighbour_distances(points, k), expected[:, k])


def test_an_outlier_and_a_row_of_zeros_do_not_spoil_the_rest(product):
    points = cloud(90)
    points[3] *= 1e4
    points[7] = 0
    assert torch.equal(
        kth_neighbour_distances(points, 3), plain_distances(points, points).sort(dim=1).values[:, 3]
    )


def test_double_precision_features_keep_their_digits(product):
    points = cloud(60).double()
    points[1] = points[0] + 1e-12
    assert kth_neighbour_distances(points, 1)[0] == pytest.approx(1e-12 * 24**0.5, rel=1e-3)


@pytest.mark.parametrize("kind", ["normal", "grid", "far"])
def test_nearest_neighbours(product, kind):
    queries, bank = cloud(50, seed=1, kind=kind), cloud(120, seed=2, kind=kind)
    queries[4] = bank[77]
    distance, row = nearest_neighbours(queries, bank, 3)
    every = plain_distances(queries, bank)
    assert torch.equal(distance, every.sort(dim=1).values[:, :3])
    assert torch.equal(every.gather(1, row), distance)
    assert distance[4, 0] == 0


def test_balls_with_and_without_their_surface(product):
    real, fake = torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 7.0]])
    radii = torch.tensor([5.0, 1.0]), torch.tensor([5.0, 1.0])
    open_, closed = (count_balls(real, fake, *radii, closed=value) for value in (False, True))
    assert open_.real_balls.tolist() == [0, 0]
    assert closed.real_balls.tolist() == [1, 0]
    assert (open_.in_fake_ball.tolist(), closed.in_fake_ball.tolist()) == ([False] * 2, [True, False])


def test_bounds_hold_for_every_pair(product):
    first, second = cloud(70, 300, 1) + 3, cloud(80, 300, 2) * 2 + 3
    bounds = PairBounds(*point_sets(first, second))
    rows, columns = torch.meshgrid(torch.arange(70), torch.arange(80), indexing="ij")
    lower, upper = bounds.interval(bounds.dense(slice(0, 70), slice(0, 80)), rows, columns)
    squared = (first.double()[:, None] - second.double()).square().sum(-1)
    assert (lower <= squared).all()
    assert (squared <= upper).all()


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
        (cloud(9).long(), cloud(9), 3, r"must be floating point \(N, F\), got torch.int64"),
    ],
)
def test_what_cannot_be_compared_is_named(real, fake, k, phrase):
    with pytest.raises(ValueError, match=phrase):
        prdc(real, fake, k)
