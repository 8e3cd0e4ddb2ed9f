import pytest
import torch

from mmcgan.evaluation import InceptionScore, inception_score
from mmcgan.evaluation.metrics.inception import interleave
from mmcgan.extractors import ExtractorOutput
from mmcgan.structures import Condition


def logits_of(count, classes=5, seed=0):
    return torch.randn(count, classes, generator=torch.Generator().manual_seed(seed)) * 3


def stream(metric, logits, batch=7):
    for part in logits.split(batch):
        metric.update(ExtractorOutput(part, part), Condition())
    metric.merge()
    return metric.compute()


def test_sure_and_diverse_scores_the_number_of_classes():
    one_hot = torch.eye(10).repeat(4, 1)  # exact zeros: the peers return NaN here
    assert inception_score(one_hot, 4) == (pytest.approx(10, rel=1e-12), pytest.approx(0, abs=1e-12))


def test_same_answer_for_all_scores_one():
    assert inception_score(torch.full((6, 3), 1 / 3))[0] == pytest.approx(1, rel=1e-6)
    assert inception_score(torch.eye(3)[[1, 1, 1, 1]])[0] == pytest.approx(1, rel=1e-12)


def test_parts_are_consecutive_and_the_remainder_is_dropped_or_spread():
    # parts of 2: {0, 1} -> 2 classes, {2, 2} -> 1 class; a fifth row is extra
    rows = torch.eye(3)[[0, 1, 2, 2, 0]]
    assert inception_score(rows, 2) == (pytest.approx(1.5), pytest.approx(0.5))
    mean, deviation = inception_score(rows, 2, remainder="spread", ddof=1)  # parts {0, 1}, {2, 2, 0}
    last = 3 / 2 ** (2 / 3)  # exp of the entropy of (2/3, 1/3)
    assert mean == pytest.approx((2 + last) / 2)
    assert deviation == pytest.approx((2 - last) / 2**0.5)


@pytest.mark.parametrize("splits", [1, 4])
def test_metric_equals_the_function_whatever_the_batches(splits):
    logits = logits_of(45)
    mean, deviation = inception_score(logits.softmax(1), splits)
    figures = stream(InceptionScore(splits=splits, seed=None), logits)
    assert figures["inception_score"] == pytest.approx(mean, rel=1e-6)
    assert figures.get("inception_score_std", 0.0) == pytest.approx(deviation, rel=1e-5)


def test_reset_forgets():
    metric = InceptionScore()
    stream(metric, logits_of(20, seed=1))
    metric.reset()
    assert stream(metric, logits_of(20)) == stream(InceptionScore(), logits_of(20))


def test_logits_instead_of_probabilities_are_refused():
    with pytest.raises(ValueError, match="softmax"):
        inception_score(logits_of(4))


def test_too_few_images():
    with pytest.raises(ValueError, match="cannot cut 3 rows of probabilities into 10 splits"):
        inception_score(torch.eye(3), 10)
    with pytest.raises(ValueError, match="remainder='keep'"):
        InceptionScore(remainder="keep")


def test_ranks_are_put_back_in_order():
    rows = torch.arange(7)[:, None]
    assert torch.equal(interleave([rows[0::3], rows[1::3], rows[2::3]]), rows)
