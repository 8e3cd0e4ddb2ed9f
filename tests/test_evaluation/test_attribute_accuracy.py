"""Attribute accuracy: by group, by free attribute, together, by combination."""

import pytest
import torch

from mmcgan.attributes import AttributeGroups
from mmcgan.datasets import AttributeConditionDataset
from mmcgan.evaluation import AttributeAccuracy, GenerationEvaluator
from mmcgan.evaluation.report.metric_names import metric_configs
from mmcgan.extractors import AttributeClassifier, ExtractorOutput
from mmcgan.extractors.attribute_classifier import attribute_hits
from mmcgan.structures import Condition
from tests.test_evaluation.stand_ins import MeanColour

SPEC = {
    "colour": ["red", "green", "blue"],
    "size": ["small", "large"],
    "traits": {"any_of": ["dots", "lines"]},
}
GROUPS = AttributeGroups.from_config(SPEC)


class Judge(MeanColour):
    """A stand-in that knows the attributes above."""

    def __init__(self):
        super().__init__(logits=False)
        self.groups = GROUPS


def metric(**options):
    made = AttributeAccuracy(**options)
    made.prepare(Judge(), None)
    return made


def update(made, wanted, logits):
    made.update(ExtractorOutput(torch.zeros(len(wanted), 3), logits), Condition(attributes=wanted))


def perfect(wanted):
    return wanted * 4 - 2


def test_shares_by_group_by_free_attribute_and_together():
    wanted = GROUPS.matching({"traits": ["dots"]})[:4]  # red, green, blue small; red large; all with dots
    logits = perfect(wanted)
    logits[0, 1] = 9  # green in place of red
    logits[1, 3:5] = logits[1, 3:5].flip(0)  # large in place of small
    logits[2, 6] = 1  # lines that were not asked for
    made = metric(per_combination=True)
    update(made, wanted[:3], logits[:3])
    update(made, wanted[3:], logits[3:])
    figures = made.compute()
    assert figures["attribute_accuracy"] == 0.25
    assert figures["attribute_accuracy/colour"] == figures["attribute_accuracy/size"] == 0.75
    assert figures["attribute_accuracy/traits/dots"] == 1.0
    assert figures["attribute_accuracy/traits/lines"] == 0.75
    assert figures["attribute_accuracy/colour=red size=large traits=dots"] == 1.0
    assert made.details()["per_combination"]["colour=red size=small traits=dots"] == 0.0
    made.reset()
    update(made, wanted, perfect(wanted))
    assert made.compute()["attribute_accuracy"] == 1.0
    assert set(made.details()["per_combination"].values()) == {1.0}


def test_hits_of_an_exclusive_group_need_the_largest_logit_only():
    wanted = GROUPS.matching({"colour": "red", "size": "small"})
    hits = attribute_hits(torch.tensor([[-5.0, -6, -7, 1, 0, -1, 2]]), wanted, GROUPS)
    assert {name: bool(hit) for name, hit in hits.items()} == {
        "colour": True,
        "size": True,
        "traits/dots": True,
        "traits/lines": False,
    }


def test_what_cannot_be_measured_is_refused_before_work():
    with pytest.raises(ValueError, match="needs a classifier of attributes, the extractor 'mean-colour' is"):
        AttributeAccuracy().prepare(MeanColour(), None)
    with pytest.raises(ValueError, match="generated with none attributes, the classifier knows 7"):
        metric().update(ExtractorOutput(torch.zeros(1, 3), torch.zeros(1, 7)), Condition())
    with pytest.raises(ValueError, match="generated with 5 attributes"):
        update(metric(), torch.zeros(1, 5), torch.zeros(1, 7))
    with pytest.raises(ValueError, match="no images were added"):
        metric().compute()
    evaluator = GenerationEvaluator(dict(type="AttributeAccuracy"), Judge())
    with pytest.raises(
        ValueError, match="AttributeAccuracy needs attributes, the evaluation conditions have none"
    ):
        evaluator.dataset_meta = dict(size=4, num_classes=10)
    evaluator.dataset_meta = AttributeConditionDataset(4, SPEC, latent_dim=2).metainfo


def test_short_name_and_the_whole_suite():
    assert metric_configs(["attribute-accuracy"]) == [dict(type="AttributeAccuracy")]
    assert dict(type="AttributeAccuracy") not in metric_configs(["all"])


def test_real_images_through_the_evaluator_reach_the_recorded_accuracy():
    from mmcgan.datasets import TwoDomainDigits

    classifier = AttributeClassifier("two-domain-digits-16")
    data = TwoDomainDigits("test")
    evaluator = GenerationEvaluator(dict(type="AttributeAccuracy"), classifier)
    evaluator.dataset_meta = data.metainfo
    for start in range(0, len(data), 400):
        batch = data.__getitems__(range(start, min(start + 400, len(data))))
        evaluator.process([dict(image=batch["image"], condition=Condition(attributes=batch["attributes"]))])
    figures = evaluator.evaluate(len(data))
    assert figures["attribute_accuracy/digit"] == pytest.approx(
        classifier.record.group_accuracy["digit"], abs=3e-3
    )
    assert figures["attribute_accuracy/domain"] > 0.99
