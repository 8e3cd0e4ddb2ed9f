"""Stacked digits: the set, the classifier that reads it, and the metric that counts modes."""

import math

import pytest
import torch

from mmcgan.datasets import DigitsDataset, StackedDigits
from mmcgan.evaluation import ModeCoverage
from mmcgan.extractors import SmallClassifier, StackedClassifier
from mmcgan.extractors.base import ExtractorOutput
from mmcgan.structures import Condition


@pytest.fixture(scope="module")
def stacked():
    return StackedDigits("train", 16, size=600)


def test_every_colour_is_a_digit_of_the_split_and_the_label_is_their_number(stacked):
    digits = DigitsDataset("train", 16)
    known = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(digits.images[:, 0], digits.labels, strict=True)
    }
    for image, label in zip(stacked.images[:50], stacked.labels[:50].tolist(), strict=True):
        red, green, blue = (known[channel.contiguous().numpy().tobytes()] for channel in image)
        assert label == 100 * red + 10 * green + blue
    assert stacked.classes[42] == "042"


def test_the_draw_is_fixed_and_depends_on_seed_and_split(stacked):
    again, other = StackedDigits("train", 16, size=600), StackedDigits("train", 16, size=600, seed=1)
    assert torch.equal(again.images, stacked.images)
    assert not torch.equal(other.labels, stacked.labels)
    assert not torch.equal(StackedDigits("test", 16, size=600).labels, stacked.labels)


def test_all_thousand_classes_are_equally_likely():
    facts = StackedDigits.facts(size=50_000)
    counts = torch.tensor(facts["class_counts"], dtype=torch.float64)
    assert (facts["num_classes"], len(counts), int(counts.sum())) == (1000, 1000, 50_000)
    # chi square of 999 degrees of freedom: mean 999, standard deviation 45
    assert 999 - 225 < float(((counts - 50).square() / 50).sum()) < 999 + 225


def test_sizes_and_splits_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="size must be at least 1"):
        StackedDigits(size=0)
    with pytest.raises(ValueError, match="split"):
        StackedDigits("valid")


def test_the_classifier_reads_the_three_colours(stacked):
    extractor = StackedClassifier()
    output = extractor(stacked.images[:300])
    assert output.logits.shape == (300, 1000)
    assert output.features.shape == (300, extractor.feature_dim)
    torch.testing.assert_close(output.logits.exp().sum(1), torch.ones(300), rtol=1e-4, atol=1e-4)
    right = (output.logits.argmax(1) == stacked.labels[:300]).float().mean()
    assert right > 0.95
    assert extractor.classes[42] == "042"


def coverage(classes, rows):
    metric = ModeCoverage()

    class Known:
        num_classes, name = classes, "known"

    metric.prepare(Known, None)
    for row in rows:
        logits = torch.nn.functional.one_hot(torch.tensor(row), classes).float()
        metric.update(ExtractorOutput(torch.zeros(len(row), 1), logits), Condition())
    metric.merge()
    return metric.compute()


def test_modes_and_divergence_have_their_closed_forms():
    assert coverage(4, [[0, 1], [2, 3]]) == {"modes_found": 4.0, "mode_kl": 0.0}
    assert coverage(4, [[2, 2, 2]]) == {"modes_found": 1.0, "mode_kl": pytest.approx(math.log(4))}
    half = 0.5 * math.log(0.5 * 4) + 2 * 0.25 * math.log(0.25 * 4)
    assert coverage(4, [[0, 0, 1, 3]]) == {"modes_found": 3.0, "mode_kl": pytest.approx(half)}
    with pytest.raises(ValueError, match="no images were added"):
        coverage(4, [])


def test_real_images_find_what_there_is(stacked):
    extractor, metric = StackedClassifier(), ModeCoverage()
    metric.prepare(extractor, None)
    metric.update(extractor(stacked.images), Condition())
    there = len(set(stacked.labels.tolist()))
    assert abs(metric.compute()["modes_found"] - there) < 0.05 * there


def test_modes_counted_by_a_classifier_of_other_classes_are_refused():
    metric = ModeCoverage()
    metric.prepare(SmallClassifier("digits-16"), None)
    metric.expect({"num_classes": 10})
    metric.expect({"num_classes": 0})
    with pytest.raises(ValueError, match=r"counts the 10 classes .*, but 1000 are asked for; take"):
        metric.expect({"num_classes": 1000})
