"""A claim is decided by an interval over seeds; what cannot be decided is not."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged
from mmcgan.claims.source import Training
from mmcgan.claims.verdict import decide

SOURCE = Training("omnigan_biggan_digits-16", 10)


def claim(**settings):
    arms = (Arm("a", SOURCE, Logged("fid")), Arm("b", SOURCE, Logged("fid")))
    return Claim("name", "statement", "source", "published", *arms, **settings)


def by_seed(*values):
    return dict(enumerate(values))


def test_a_clear_difference_holds_and_its_opposite_does_not():
    low, high = by_seed(1.0, 1.1, 0.9), by_seed(2.0, 2.2, 2.1)
    assert decide(claim(), low, high).state == "holds"
    assert decide(claim(), high, low).state == "does not hold"
    assert decide(claim(lower=False), high, low).state == "holds"


def test_a_difference_within_the_noise_is_undecided():
    assert decide(claim(), by_seed(1.0, 2.0, 1.4), by_seed(1.2, 1.9, 1.5)).state == "undecided"


def test_one_seed_decides_nothing_and_none_is_not_run():
    assert decide(claim(), by_seed(1.0), by_seed(9.0)).state == "undecided"
    assert decide(claim(), {}, by_seed(9.0)).state == "not run"
    assert decide(claim(), {0: 1.0}, {1: 9.0}).state == "not run", "seeds are compared with themselves"


def test_the_interval_is_that_of_the_paired_t_test():
    draws = np.random.default_rng(0)
    for _ in range(20):
        a, b = draws.normal(0, 1, 5), draws.normal(0.5, 1, 5)
        found = decide(claim(), by_seed(*a), by_seed(*b))
        truth = ttest_rel(a, b).confidence_interval(0.95)
        assert found.difference[1:] == pytest.approx((truth.low, truth.high))


def test_a_true_difference_of_zero_is_called_one_in_a_twentieth_of_trials():
    draws = np.random.default_rng(1)
    states = [
        decide(claim(), by_seed(*draws.normal(size=3)), by_seed(*draws.normal(size=3))).state
        for _ in range(2000)
    ]
    assert states.count("undecided") / 2000 == pytest.approx(0.95, abs=0.02)


def test_equality_within_a_margin_needs_the_whole_interval_inside():
    same = by_seed(1.0, 1.02, 0.98)
    assert decide(claim(margin=0.2), same, by_seed(1.01, 1.0, 1.0)).state == "holds"
    assert decide(claim(margin=0.2), by_seed(2.0, 2.02, 1.98), same).state == "does not hold"
    assert decide(claim(margin=0.2), by_seed(1.0, 1.5, 0.6), same).state == "undecided"


def test_ratios_are_compared_by_logarithms():
    found = decide(claim(logarithm=True), by_seed(1.0, 10.0, 100.0), by_seed(2.0, 20.0, 200.1))
    assert found.state == "holds"
    assert math.exp(found.difference[0]) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_is_none_is_refused(figure):
    with pytest.raises(ValueError, match="claim name"):
        decide(claim(), by_seed(figure, 1.0), by_seed(1.0, 2.0))


def test_what_of_a_curve_counts():
    series = {3: 4.0, 1: 8.0, 2: 2.0}
    found = [Logged("fid", when).of(series) for when in ("last", "lowest", "highest", "last over lowest")]
    assert found == [4.0, 2.0, 8.0, 2.0]
