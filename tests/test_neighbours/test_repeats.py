"""Rows that occur many times: found whatever else there is, and never measured against each other."""

import numpy as np
import pytest
import torch

from mmcgan.evaluation import kth_neighbour_distances, nearest_neighbours, prdc
from mmcgan.neighbours import pairs, repeats
from mmcgan.neighbours.balls import count_balls
from mmcgan.neighbours.repeats import rank_among_equal, repeated_rows, row_keys, weighted_rows
from tests.test_neighbours.distributions import assert_nearest, plain, plain_prdc


def table(copies=200, others=60, width=16, dtype=torch.float32, seed=0):
    """Return vectors of which two occur ``copies`` times each, mixed with others."""
    generator = torch.Generator().manual_seed(seed)
    some = torch.randn(others + 2, width, generator=generator, dtype=torch.float64).to(dtype)
    choice = torch.cat([torch.arange(others + 2), torch.arange(2).repeat_interleave(copies - 1)])
    return some[choice[torch.randperm(len(choice), generator=generator)]]


@pytest.fixture
def measured(monkeypatch):
    """Return a list of how many pairs each call measured."""
    counts = []
    lengths, block = pairs.pair_distances, pairs.measure

    def by_pair(first, second, rows, columns):
        counts.append(len(rows))
        return lengths(first, second, rows, columns)

    def by_block(first, second, rows, columns, near):
        counts.append(int(near.sum()))
        return block(first, second, rows, columns, near)

    for module in ("nearest", "balls", "bounds"):
        for name, function in (("pair_distances", by_pair), ("measure", by_block)):
            path = f"mmcgan.neighbours.{module}.{name}"
            monkeypatch.setattr(path, function, raising=False)
    return counts


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("width", [1, 3, 64, 200])
def test_rows_are_grouped_as_by_comparing_all(dtype, width):
    rows = table(30, 40, width, dtype)
    _, inverse = np.unique(rows.double().numpy(), axis=0, return_inverse=True)
    expected = [int(np.flatnonzero(inverse == kind)[0]) for kind in inverse.ravel()]
    assert repeated_rows(rows, 1).tolist() == expected
    assert repeated_rows(rows, 29).unique(return_counts=True)[1].max() >= 30
    assert repeated_rows(rows.unique(dim=0), 1) is None


def test_a_key_that_different_rows_share_does_not_join_them(monkeypatch):
    monkeypatch.setattr(repeats, "row_keys", lambda rows, sampled=True: torch.zeros(len(rows)).long())
    rows = torch.tensor([[1.0], [2.0], [1.0], [2.0], [1.0]])
    assert repeated_rows(rows, 1).tolist() == [0, 1, 0, 3, 0]  # less is found, nothing is wrong


def test_keys_do_not_tell_zero_from_minus_zero_but_all_else():
    rows = torch.tensor([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [-1.0, 0.0], [2.0, -1.0]])
    assert row_keys(rows).unique(return_inverse=True)[1].bincount().sort().values.tolist() == [1, 1, 1, 2]


def test_ranks_and_kinds():
    leader = torch.tensor([0, 1, 0, 0, 1, 5])
    assert rank_among_equal(leader).tolist() == [0, 0, 1, 2, 1, 0]
    rows = torch.tensor([[3.0], [3.0], [3.0], [1.0]])
    first, kind = weighted_rows(rows, torch.tensor([1.0, 2.0, 1.0, 1.0]), 1)
    assert rows[first].flatten().tolist() == [3.0, 3.0, 1.0]
    assert kind[0] == kind[2] != kind[1]


@pytest.mark.parametrize("k", [1, 5, 250])
def test_searches_are_the_plain_ones(k):
    rows, queries = table(), table(90, 30, seed=1)
    queries[:200] = rows[:200]
    expected = np.sort(plain(rows, rows), axis=1)[:, k].astype(float)
    np.testing.assert_allclose(kth_neighbour_distances(rows, k), expected, rtol=1e-12)
    assert_nearest(*nearest_neighbours(queries, rows, k), queries, rows)


@pytest.mark.parametrize("k", [1, 7, 150])
def test_figures_are_the_plain_ones(k):
    real, fake = table(), table(90, 30, seed=1)
    fake[:100] = real[:100]
    assert prdc(real, fake, k) == pytest.approx(plain_prdc(real, fake, k), rel=1e-12)


@pytest.mark.parametrize("closed", [False, True])
def test_balls_of_their_own_radii_around_equal_points(closed):
    real, fake = table(), table(90, 30, seed=1)
    fake[:100] = real[:100]
    generator = torch.Generator().manual_seed(2)
    radii = [torch.randint(0, 4, (len(x),), generator=generator) * 2.0 for x in (real, fake)]
    found = count_balls(real, fake, *radii, closed=closed)
    across, inside = plain(real, fake), np.less_equal if closed else np.less
    in_real = inside(across, radii[0][:, None].numpy())
    assert found.real_balls.tolist() == in_real.sum(0).tolist()
    assert found.real_hit.tolist() == in_real.any(1).tolist()
    assert found.in_fake_ball.tolist() == inside(across, radii[1].numpy()).any(1).tolist()


def test_ten_thousand_equal_vectors_are_not_measured_pair_by_pair(measured):
    """A generator that has collapsed: a hundred million pairs, of which a few thousand are looked at."""
    fake = torch.ones(10_000, 8)
    real = torch.cat([torch.ones(3_000, 8), table(2, 300, 8)])
    distance, row = nearest_neighbours(fake, real, 3)
    assert (distance == 0).all() and row[777].tolist() == [0, 1, 2]
    assert (kth_neighbour_distances(fake, 5) == 0).all()
    figures = prdc(real, fake, 5)
    assert figures["precision"] == 0  # no ball of radius 0 holds its own centre
    assert sum(measured) < 10 * len(fake)
