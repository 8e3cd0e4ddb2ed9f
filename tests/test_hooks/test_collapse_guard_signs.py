"""Signs of a collapse, and how they are counted."""

import pytest

from mmcgan.hooks import collapse_guard_signs as judging
from mmcgan.hooks.monitor import Monitor

HEALTHY = {
    "adv.separation": 0.8,
    "adv.logit_real": 1.0,
    "adv.logit_fake": 0.0,
    "feature_norm_real": 5.0,
    "diversity_fake": 0.5,
    "diversity_real": 0.6,
}
FID = Monitor("fid")


def state(**changes):
    seen = dict(smallest=4.0, largest=8.0, value=5.0, best=4.0, best_at=7)
    return {**judging.fresh_state(), **seen, **changes}


@pytest.mark.parametrize(
    ("figures", "memory", "expected"),
    [
        ({}, {}, {}),
        (
            {"adv.separation": 0.995},
            {},
            {"separation": "almost perfectly (99.5 % of pairs, mean adv logits 1 and 0)"},
        ),
        ({"adv.separation": 0.5, "adv.logit_real": 0.0}, {}, {"separation": "says the same of every image"}),
        ({"adv.separation": 0.5}, {}, {}),
        ({"feature_norm_real": 41.0}, {}, {"feature_norm": "have grown from 4 to 41"}),
        ({"feature_norm_real": 0.01}, {}, {"feature_norm": "have vanished (mean length 0.01, before 4)"}),
        (
            {"diversity_fake": 0.1},
            {},
            {"diversity": "hardly differ (0.1 between two, 0.6 between real ones)"},
        ),
        ({}, {"value": 9.7}, {"metric": "fid rose from 4 (iteration 7) to 9.7"}),
        ({}, {"value": float("nan")}, {"metric": "fid rose from 4 (iteration 7) to nan"}),
    ],
)
def test_each_sign_is_found_and_said(figures, memory, expected):
    found = judging.find_signs({**HEALTHY, **figures}, state(**memory), FID, judging.Limits())
    assert found.keys() == expected.keys()
    for name, words in expected.items():
        assert words in found[name]


def test_a_metric_that_should_grow_falls():
    accuracy = Monitor("conditional_accuracy")
    memory = state(best=90.0, value=50.0)
    words = judging.find_signs(HEALTHY, memory, accuracy, judging.Limits())["metric"]
    assert words == "conditional_accuracy fell from 90 (iteration 7) to 50"
    assert judging.find_signs(HEALTHY, state(best=90.0, value=70.0), accuracy, judging.Limits()) == {}


@pytest.mark.parametrize(
    ("metric", "values", "signs"),
    [
        ("kid", (0.2, 0.002, -0.0004, -0.0004, -0.0002, 0.0, 0.0005), 0),  # noise around a good model
        ("kid", (0.2, 1e-7, 5e-5, 1e-4), 0),  # a factor of almost nothing
        ("kid", (0.2, 0.0, 1e-4), 0),
        ("kid", (-0.0004, -0.0004, -0.0001, 0.0005), 0),  # fine-tuning starts where it is good
        ("kid", (0.2, -0.0004, 0.002), 1),
        ("kid", (0.2, 0.0, 0.01, -0.0001, 0.1), 2),
        ("fid", (300.0, 4.0, 5.9, 6.1), 1),  # as ever where the best is far from 0
        ("conditional_accuracy", (10.0, 90.0, 61.0, 59.0), 1),
        ("log_likelihood", (-50.0, -10.0, -10.0, -14.0, -16.0), 1),
        ("log_likelihood", (-50.0, 0.0, -0.01, -1.0), 1),
    ],
)
def test_a_factor_of_a_best_around_zero_is_no_alarm(metric, values, signs):
    monitor = Monitor(metric, "greater" if metric == "log_likelihood" else None)
    memory, found = judging.fresh_state(), []
    for iteration, value in enumerate(values):
        memory = judging.remember(memory, {}, value, monitor, iteration)
        found.append(bool(judging.find_signs({}, memory, monitor, judging.Limits())))
    assert found.count(True) == signs


def test_what_has_just_been_the_best_is_never_a_sign():
    for rule in ("less", "greater"):
        monitor = Monitor("anything", rule)
        for best in (-90.0, -1e-4, 0.0, 1e-4, 90.0):
            memory = judging.remember(judging.fresh_state(), {}, best, monitor, 1)
            assert judging.find_signs({}, memory, monitor, judging.Limits()) == {}, (rule, best)
            assert judging.after_roll_back(memory)["first"] == best
            memory["value"] = float("nan")
            assert "metric" in judging.find_signs({}, memory, monitor, judging.Limits())


def test_signs_count_together_in_a_row_and_not_while_the_metric_improves():
    two, one = {"separation": "a", "diversity": "b"}, {"diversity": "b"}
    memory = judging.count(state(), two, 100, 2)
    memory = judging.count(memory, two, 200, 2)
    assert (memory["checks"], memory["since"]) == (2, {"separation": 100, "diversity": 100})
    assert judging.count(memory, one, 300, 2)["checks"] == 0
    assert judging.count({**memory, "improving": True}, two, 300, 2)["checks"] == 0
    assert judging.count(judging.count(memory, {}, 300, 2), one, 400, 2)["since"] == {"diversity": 400}
    assert judging.in_words(two, {"separation": 100, "diversity": 400}) == (
        "since iteration 100 a, and since iteration 400 b"
    )


def test_the_best_value_and_the_range_of_features_are_remembered():
    memory = judging.fresh_state()
    for iteration, (length, value) in enumerate([(5.0, 3.0), (2.0, 2.0), (0.0, 4.0), (9.0, None)]):
        memory = judging.remember(memory, {"feature_norm_real": length}, value, FID, iteration)
    assert (memory["smallest"], memory["largest"]) == (2.0, 9.0), "vanished features are not the smallest"
    assert (memory["best"], memory["best_at"], memory["value"], memory["improving"]) == (2.0, 1, 4.0, False)
