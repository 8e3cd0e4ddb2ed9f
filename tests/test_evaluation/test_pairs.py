"""Pairs "of one condition" share the whole condition, of whatever kinds it is."""

import pytest
import torch

from mmcgan.condition_fields import ConditionField
from mmcgan.evaluation import GenerationEvaluator
from mmcgan.evaluation.metrics import pixels
from mmcgan.evaluation.metrics.pairs import condition_keys, pairs_of_one_condition
from mmcgan.evaluation.metrics.pixels import PairDiversity
from mmcgan.extractors import ExtractorOutput
from mmcgan.registry import CONDITION_FIELDS
from mmcgan.structures import Condition
from tests.test_evaluation import stand_ins  # noqa: F401  registers MeanColour

KINDS, COPIES = 4, 6
#: which of the conditions each image was asked for with
ASKED = torch.arange(KINDS * COPIES) % KINDS


class Sketch(ConditionField):
    """Short floats, a kind that no list of ours names and that numpy does not know."""

    def made_up(self, n, size, image_size, source):
        """Return numbers."""
        return torch.randn(n, 2, 3, generator=source).bfloat16()


@pytest.fixture(autouse=True)
def sketch():
    CONDITION_FIELDS.register_module("sketch")(Sketch)
    yield
    CONDITION_FIELDS.module_dict.pop("sketch")


def rows(name):
    """Return KINDS different values of a field."""
    if name == "label":
        return torch.tensor([7, 2, 5, 0])
    source = torch.Generator().manual_seed(3)
    return CONDITION_FIELDS.get(name)().made_up(KINDS, 9, (8, 8), source)


def every_field():
    """Return the names of all registered kinds of conditions."""
    return [*CONDITION_FIELDS.names(), "sketch"]


def evaluate(condition, image, **settings):
    """Return MS-SSIM of images in batches of 7."""
    evaluator = GenerationEvaluator([dict(type="MSSSIM", pairs=60, **settings)], dict(type="MeanColour"))
    for start in range(0, len(image), 7):
        part = slice(start, start + 7)
        evaluator.process([dict(image=image[part], condition=condition[part])])
    return evaluator.evaluate(len(image))["ms_ssim"]


def images(count=KINDS):
    """Return different images."""
    return torch.randint(0, 256, (count, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator())


@pytest.mark.parametrize("name", every_field())
def test_one_image_a_condition_has_no_diversity_whatever_the_condition_is(name):
    condition = Condition.of({name: rows(name)[ASKED]})
    assert evaluate(condition, images()[ASKED]) == pytest.approx(1, abs=1e-6)
    varied = evaluate(condition, images(len(ASKED)))
    assert varied < 0.9


@pytest.mark.parametrize("name", every_field())
def test_each_field_tells_conditions_apart_beside_others(name):
    other = "label" if name != "label" else "attributes"
    both = {name: rows(name)[ASKED], other: rows(other)[torch.zeros_like(ASKED)]}
    keys = condition_keys(Condition.of(both), len(ASKED))
    assert torch.equal(keys[:, None] == keys, ASKED[:, None] == ASKED)


def test_no_condition_is_one_group():
    assert condition_keys(Condition(), 5).tolist() == [0] * 5
    assert evaluate_nothing(images(1).repeat(9, 1, 1, 1)) == pytest.approx(1, abs=1e-6)
    assert evaluate_nothing(images(9)) < 0.9


def evaluate_nothing(image):
    """Return MS-SSIM of images that were asked for without any condition."""
    evaluator = GenerationEvaluator([dict(type="MSSSIM", pairs=60)], dict(type="MeanColour"))
    evaluator.process([dict(image=image)])
    return evaluator.evaluate(len(image))["ms_ssim"]


def test_labels_decide_the_same_pairs_as_ever():
    label = torch.tensor([4, 0, 4, 2, 0, 4])
    keys = condition_keys(Condition(label=label), 6)
    first, second = pairs_of_one_condition(keys, 6, 8, torch.Generator().manual_seed(0))
    assert (first.tolist(), second.tolist()) == ([5, 5, 2, 1, 2, 5, 0, 2], [0, 2, 5, 4, 5, 0, 2, 0])


def test_minus_zero_is_zero_and_one_number_of_many_differs():
    instance = torch.tensor([[0.0, 1.0], [-0.0, 1.0], [0.0, 1.0000001]])
    first, second, third = condition_keys(Condition(instance=instance), 3).tolist()
    assert first == second != third


def test_conditions_that_occur_once_are_an_error_or_a_warning(monkeypatch):
    said = []
    monkeypatch.setattr(pixels, "warn", said.append)
    metric = PairDiversity(pairs=10)
    output = ExtractorOutput(torch.zeros(4, 1), image=images())
    metric.update(output, Condition(instance=rows("instance"), label=torch.zeros(4, dtype=torch.int64)))
    text = r"no two of 4 images share a condition \(instance, label\): generate more images per condition"
    with pytest.raises(ValueError, match=text):
        metric.mean_over_pairs(lambda first, second: torch.zeros(len(first)))
    assert not said
    metric.update(ExtractorOutput(torch.zeros(1, 1), image=images(1)), first_again())
    assert metric.mean_over_pairs(lambda first, second: torch.ones(len(first))) == 1
    assert said == [
        "PairDiversity: 3 of 4 conditions (instance, label) have one image only and are in no pair"
    ]


def first_again():
    """Return the first of the conditions above."""
    return Condition(instance=rows("instance")[:1], label=torch.zeros(1, dtype=torch.int64))
