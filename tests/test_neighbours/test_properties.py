"""Whatever the vectors are like: distances, indices and balls are those of a plain float64 search."""

from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcgan.evaluation import improved_precision_recall, kth_neighbour_distances, nearest_neighbours, prdc
from mmcgan.neighbours.bounds import PairBounds, point_sets
from mmcgan.neighbours.products import full_precision
from tests.test_neighbours.distributions import DISTINCT, KINDS, assert_nearest, pair, plain, plain_prdc

COUNTS = st.tuples(st.integers(2, 90), st.integers(2, 90))
# powers of two leave equal distances equal
SCALES = {torch.float32: (-140, -110, -80, 0, 20, 63, 100), torch.float64: (-900, -600, 0, 500, 960)}
PRODUCTS = st.sampled_from([torch.bfloat16, torch.float32])


@st.composite
def sets(draw, kinds=KINDS):
    """Draw two sets of vectors, and how many neighbours to look for."""
    dtype = draw(st.sampled_from((torch.float32, torch.float64)))
    scale = 2.0 ** draw(st.sampled_from(SCALES[dtype]))
    counts, width = draw(COUNTS), draw(st.sampled_from([1, 2, 17, 64]))
    first, second = pair(draw(st.sampled_from(kinds)), counts, width, draw(st.integers(0, 999)), scale, dtype)
    return first, second, draw(st.integers(1, min(counts) - 1))


def small_blocks(product):
    """Return a context in which products are of a type and every case has several blocks."""
    stack = ExitStack()
    stack.enter_context(patch("mmcgan.neighbours.bounds.product_dtype", lambda device: product))
    for name, size in (("ROW_BLOCK", 40), ("COLUMN_BLOCK", 48), ("EXACT_BLOCK", 24)):
        stack.enter_context(patch(f"mmcgan.neighbours.nearest.{name}", size))
        if name != "EXACT_BLOCK":
            stack.enter_context(patch(f"mmcgan.neighbours.balls.{name}", size))
    return stack


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sets(), PRODUCTS)
def test_kth_distances_are_the_plain_ones(case, product):
    points, _, k = case
    with small_blocks(product):
        found = kth_neighbour_distances(points, k)
    expected = np.sort(plain(points, points), axis=1)[:, k].astype(float)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sets(), PRODUCTS)
def test_nearest_neighbours_are_the_plain_ones(case, product):
    bank, queries, k = case
    with small_blocks(product):
        found = nearest_neighbours(queries, bank, k)
    assert_nearest(*found, queries, bank)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sets(DISTINCT), PRODUCTS)
def test_balls_are_the_plain_ones(case, product):
    real, fake, k = case
    with small_blocks(product):
        assert prdc(real, fake, k) == pytest.approx(plain_prdc(real, fake, k), rel=1e-12)
        closed = improved_precision_recall(real, fake, k)
    expected = plain_prdc(real, fake, k, closed=True)
    assert closed == pytest.approx((expected["precision"], expected["recall"]), rel=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sets(), PRODUCTS)
def test_bounds_hold_for_every_pair(case, product):
    first, second, _ = case
    with small_blocks(product), full_precision():
        bounds = PairBounds(*point_sets(first, second))
        squared = np.square(plain(first, second) * bounds.first.scale)
        every = torch.meshgrid(torch.arange(len(first)), torch.arange(len(second)), indexing="ij")
        for kind in (bounds, bounds.precise()):
            low = kind.dense(slice(0, len(first)), slice(0, len(second)))
            lower, upper = (value.numpy() for value in kind.interval(low, *every))
            assert (lower <= squared).all() and (squared <= upper).all()
        lower, upper = (
            value.numpy().reshape(squared.shape) for value in bounds.close(*(i.flatten() for i in every))
        )
        assert (lower <= squared).all() and (squared <= upper).all()


def test_the_modes_of_the_issue():
    """64 features, 450 images, a loose and a tight mode at squared distance 9."""
    real, fake = pair("loose and tight", (450, 450), 64, 0)
    fake = fake.flip(0)
    assert prdc(real, fake, 5) == pytest.approx(plain_prdc(real, fake, 5), rel=1e-12)
    assert_nearest(*nearest_neighbours(fake, real, 3), fake, real)


def test_the_least_numbers_of_float64_have_distances():
    bank, queries = pair("many lengths", (60, 40), 17, 0, 2.0**-1020, torch.float64)
    assert_nearest(*nearest_neighbours(queries, bank, 5), queries, bank)
