import json

import pytest
import torch
from mmengine.evaluator import Evaluator

from mmcgan.evaluation import GenerationEvaluator, frechet_distance
from mmcgan.registry import EVALUATOR
from mmcgan.structures import Condition
from tests.test_evaluation.stand_ins import ColourDataset

METRICS = [dict(type="FID"), dict(type="InceptionScore"), dict(type="ConditionalAccuracy")]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


def build(**changes):
    config = dict(
        type="GenerationEvaluator",
        metrics=METRICS,
        extractor=dict(type="MeanColour"),
        reference=dict(dataset=dict(type="ColourDataset")),
    )
    return EVALUATOR.build({**config, **changes})


def samples(dataset, batch=7):
    for rows in torch.arange(len(dataset)).split(batch):
        data = dataset.__getitems__(rows.tolist())
        image = data["image"].float() / 127.5 - 1
        yield [dict(image=image, condition=Condition(label=data["label"]))]


def run(evaluator, dataset, batch=7):
    for data_samples in samples(dataset, batch):
        evaluator.process(data_samples=data_samples, data_batch={})
    return evaluator.evaluate(len(dataset))


def test_the_training_images_themselves_score_perfectly():
    evaluator = build()
    assert isinstance(evaluator, Evaluator)
    figures = run(evaluator, ColourDataset())
    assert figures["fid"] == pytest.approx(0, abs=1e-9)
    assert figures["conditional_accuracy"] == 1
    assert 2 < figures["inception_score"] <= 3


def test_fid_is_that_of_the_features():
    evaluator = build()
    other = ColourDataset(size=45, seed=3)
    pair = []
    for dataset in (ColourDataset(), other):
        features = evaluator.extractor(dataset.image).features.double()
        pair += [features.mean(0), torch.cov(features.T)]
    assert run(evaluator, other)["fid"] == pytest.approx(frechet_distance(*pair), rel=1e-9)


def test_real_images_of_another_size_are_said_once(monkeypatch):
    said = []
    monkeypatch.setattr("mmcgan.evaluation.evaluator.print_log", lambda message, **_: said.append(message))
    evaluator = build()
    dataset = ColourDataset()
    sides = tuple(dataset.image.shape[2:])
    known = {**evaluator.reference.dataset.metainfo, "image_size": sides[0]}
    monkeypatch.setattr(type(evaluator.reference.dataset), "metainfo", property(lambda self: known))
    run(evaluator, dataset)
    assert not [message for message in said if "pixels, real ones" in message]
    known["image_size"] = 64
    run(evaluator, dataset)
    found = [message for message in said if f"{sides[0]} x {sides[1]} pixels, real ones 64 x 64" in message]
    assert len(found) == 1


def test_one_extractor_pass_per_batch():
    evaluator = build()
    evaluator.reference.statistics()
    before = evaluator.extractor.passes
    run(evaluator, ColourDataset(size=28), batch=7)
    assert evaluator.extractor.passes - before == 4


def test_batch_size_changes_nothing_and_evaluations_do_not_mix():
    evaluator = build()
    first = run(evaluator, ColourDataset(size=30, seed=1), batch=7)
    run(evaluator, ColourDataset(size=30, seed=2))
    assert run(evaluator, ColourDataset(size=30, seed=1), batch=30) == pytest.approx(first, rel=1e-9)


def test_wrong_labels_are_seen():
    evaluator = build(metrics=[dict(type="ConditionalAccuracy", per_class=True)])
    dataset = ColourDataset(size=6)
    dataset.label[0] = 1  # a red image that was asked to be green
    figures = run(evaluator, dataset)
    assert figures["conditional_accuracy"] == pytest.approx(5 / 6)
    assert figures["conditional_accuracy/green"] == pytest.approx(2 / 3)
    assert figures["conditional_accuracy/red"] == 1


def test_top_k_forgives():
    dataset = ColourDataset(size=9)
    dataset.image[:] = torch.tensor([200, 100, 0], dtype=torch.uint8).view(3, 1, 1)
    evaluator = build(metrics=[dict(type="ConditionalAccuracy"), dict(type="ConditionalAccuracy", top_k=2)])
    figures = run(evaluator, dataset)
    assert figures == pytest.approx({"conditional_accuracy": 1 / 3, "conditional_accuracy_top2": 2 / 3})
    with pytest.raises(ValueError, match="top_k=4, but mean-colour has 3 classes"):
        build(metrics=[dict(type="ConditionalAccuracy", top_k=4)])


def test_too_many_images_are_not_averaged_silently():
    evaluator = build()
    for data_samples in samples(ColourDataset(size=12)):
        evaluator.process(data_samples, None)
    with pytest.raises(ValueError, match=r"12 images were generated, 10 were asked for.*round_up=False"):
        evaluator.evaluate(10)


def test_nan_images_stop_the_evaluation():
    image = torch.zeros(3, 3, 4, 4)
    image[1] = float("nan")
    with pytest.raises(ValueError, match="1 of 3 generated images contain NaN"):
        build().process([dict(image=image, condition=Condition(label=torch.zeros(3).long()))])


def test_report_says_what_the_figures_were_computed_with():
    evaluator = build(prefix="colour")
    with pytest.raises(RuntimeError, match="nothing was evaluated yet"):
        evaluator.report()
    evaluator.dataset_meta = dict(size=30, seed=0, num_classes=3)
    figures = run(evaluator, ColourDataset(size=30))
    assert sorted(figures) == ["colour/conditional_accuracy", "colour/fid", "colour/inception_score"]
    report = json.loads(json.dumps(evaluator.report()))
    assert report["figures"] == figures
    assert report["generated_images"] == 30
    assert report["extractor"]["name"] == "mean-colour"
    assert len(report["extractor"]["weights_sha256"]) == 64
    assert (report["reference"]["split"], report["reference"]["count"]) == ("train", 60)
    assert report["conditions"]["seed"] == 0
    assert report["metrics"][1]["settings"]["splits"] == 1


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        (dict(reference=None), r"FID compares with real images.*reference=dict\(dataset"),
        (dict(reference=dict(datset={})), "no key 'datset'. Did you mean 'dataset'"),
        (dict(extractor=dict(type="MeanColour", logits=False)), "InceptionScore needs class logits"),
        (dict(metrics=[]), "metrics is empty"),
    ],
)
def test_mistakes_are_named_before_any_image_is_made(changes, phrase):
    with pytest.raises(ValueError, match=phrase):
        build(**changes)


def test_conditions_without_labels_are_refused():
    evaluator = build()
    with pytest.raises(ValueError, match="ConditionalAccuracy needs labels"):
        evaluator.dataset_meta = dict(num_classes=0)


def test_label_beyond_the_classifier():
    sample = dict(image=torch.zeros(1, 3, 4, 4), condition=Condition(label=torch.tensor([7])))
    with pytest.raises(ValueError, match=r"labels 7\.\.7 were asked for, the classifier knows 0\.\.2"):
        build(metrics=[dict(type="ConditionalAccuracy")], overlap=False).process([sample])


def test_class_is_exported():
    assert EVALUATOR.get("GenerationEvaluator") is GenerationEvaluator
