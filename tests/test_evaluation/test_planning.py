"""Metrics are planned before anything is extracted, and one that fails never costs the others."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import entropy

from mmcgan.apis.folders import evaluate_folders
from mmcgan.cli import main
from mmcgan.evaluation import GenerationEvaluator, GenerationMetric, InceptionScore
from mmcgan.evaluation.report.metric_names import metric_configs
from mmcgan.extractors import ExtractorOutput
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition
from tests.test_datasets.image_files import picture, save
from tests.test_evaluation import stand_ins
from tests.test_evaluation.stand_ins import ColourDataset, MeanColour

COLOURS = dict(type="MeanColour")


FEATURES_ONLY = dict(type="MeanColour", logits=False)


def folder(path, count, seed):
    for number in range(count):
        save(path / f"{number:03d}.png", picture(16, 16, seed=seed + number))
    return path


@pytest.mark.parametrize(("real", "fake"), [(4, 60), (60, 4), (1, 30), (30, 1), (30, 30)])
def test_all_metrics_of_few_images(tmp_path, real, fake):
    report = evaluate_folders(
        folder(tmp_path / "r", real, 0), folder(tmp_path / "f", fake, 500), COLOURS, ["all"]
    )
    rows = {row["type"]: row.get("error") for row in report["metrics"]}
    assert "inception_score" in report["figures"] and rows["InceptionScore"] is None
    assert ("fid" in report["figures"]) == (min(real, fake) > 1)
    small = "real" if real < 1000 else "generated"
    assert f"needs at least 1,000 {small} images" in rows["KID"] or "generated images" in rows["KID"]
    assert "needs at least 5,001 generated images" in rows["FIDInfinity"]
    if min(real, fake) < 20:
        assert "needs at least 20" in rows["SajjadiPrecisionRecall"]
    if min(real, fake) < 6:
        assert "needs at least 6" in rows["PRDC"]


def test_what_cannot_be_is_known_before_anything_is_extracted(tmp_path, monkeypatch):
    sides = folder(tmp_path / "real", 4, 0), folder(tmp_path / "fake", 60, 500)
    monkeypatch.setattr(stand_ins.MeanColour, "encode", lambda *_: pytest.fail("images were extracted"))
    with pytest.raises(
        ValueError, match=r"KID: it needs at least 1,000 gen.*Sajjadi.*20 real images, there are 4"
    ):
        evaluate_folders(*sides, COLOURS, ["kid", "sajjadi"])


def test_the_command_says_why(tmp_path, capsys):
    sides = str(folder(tmp_path / "real", 30, 0)), str(folder(tmp_path / "fake", 30, 500))
    assert main(["evaluate-folders", *sides, "--extractor", "digits-16", "--metrics", "fid", "kid"]) == 0
    said = capsys.readouterr().out
    assert "no figure of KID: it needs at least 1,000" in said and "kid:subset_size=N" in said
    assert re.search(r"KID\W+none", said)


def suite():
    return {config["type"] for config in metric_configs(["all"])}


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("extractor", [COLOURS, FEATURES_ONLY])
def test_every_metric_of_the_suite_has_a_row(tmp_path, extractor, labelled):
    for side, seed in (("real", 0), ("fake", 500)):
        for number, name in enumerate(("a", "b", "c")):
            folder(tmp_path / side / name, 10, seed + 50 * number)
    settings = dict(labelled=labelled, image_size=16)
    sides = tmp_path / "real", tmp_path / "fake"
    report = evaluate_folders(*sides, extractor, ["all"], **settings)
    rows = {row["type"]: row for row in report["metrics"]}
    assert rows.keys() == suite()
    for row in rows.values():
        assert bool(row["figures"]) != bool(row.get("error")), row
    assert {name: value for row in rows.values() for name, value in row["figures"].items()} == report[
        "figures"
    ]
    if extractor is not COLOURS:
        assert "needs class logits" in rows["InceptionScore"]["error"]
    if not labelled:
        assert "needs labels" in rows["IntraFID"]["error"]


@pytest.mark.parametrize("name", ["is", "accuracy"])
def test_a_metric_asked_for_by_name_that_cannot_be_stops_before_work(tmp_path, name):
    sides = folder(tmp_path / "real", 4, 0), folder(tmp_path / "fake", 6, 500)
    with pytest.raises(ValueError, match="needs class logits"):
        evaluate_folders(*sides, FEATURES_ONLY, [name, "fid"])


def test_what_is_left_out_stays_so_in_the_next_evaluation():
    metrics = [dict(type="InceptionScore"), dict(type="FID")]
    reference = dict(dataset=ColourDataset(60))
    evaluator = GenerationEvaluator(metrics, MeanColour(logits=False), reference, leave_out_impossible=True)
    data = ColourDataset(60, 1)
    for _ in range(2):
        evaluator.process([dict(image=data.image, condition=Condition(label=data.label))])
        assert set(evaluator.evaluate(60)) == {"fid"}
        assert "needs class logits" in evaluator.report()["metrics"][0]["error"]


def test_the_test_command_has_a_row_for_all(tmp_path, capsys):
    out = tmp_path / "report.json"
    where = ["--json", str(out), "--work-dir", str(tmp_path / "work")]
    arguments = ["--num", "40", "--metrics", "all", "kid:subset_size=20", "--seeds", "0", "1"]
    assert main(["test", "biggan_digits-16", *arguments, *where]) == 0
    said = capsys.readouterr().out
    assert re.search(r"FIDInfinity\W+none", said) and said.count("no figure of FIDInfinity") == 1
    assert "subset_size=20" in said and re.search(r"kid ↓\W+-?\d", said)
    for report in json.loads(out.read_text())["sweep"][0]["reports"]:
        assert {row["type"] for row in report["metrics"]} == suite()


@GENERATION_METRICS.register_module(force=True)
class Failing(GenerationMetric):
    """Fails where it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    def _maybe(self, where):
        if where == self.where:
            raise KeyError("a fault of the metric")

    def reset(self):
        """Nothing."""

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Maybe fail."""
        self._maybe("update")

    def merge(self) -> None:
        """Maybe fail."""
        self._maybe("merge")

    def compute(self):
        """Maybe fail."""
        self._maybe("compute")
        return {"fine": 1.0}


def evaluated(metrics, overlap=True):
    data = ColourDataset(60, 1)
    evaluator = GenerationEvaluator(metrics, MeanColour(), dict(dataset=ColourDataset(60)), overlap=overlap)
    evaluator.dataset_meta = dict(size=60, num_classes=3)
    for start in (0, 30):
        rows = slice(start, start + 30)
        evaluator.process([dict(image=data.image[rows], condition=Condition(label=data.label[rows]))])
    return evaluator


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("where", ["update", "merge", "compute"])
def test_a_failing_metric_costs_its_own_row_only(where, overlap):
    evaluator = evaluated([dict(type="Failing", where=where), dict(type="FID")], overlap)
    figures = evaluator.evaluate(60)
    assert figures == evaluated([dict(type="FID")]).evaluate(60)
    assert "a fault of the metric" in evaluator.report()["metrics"][0]["error"]
    evaluator.metrics[0].where = ""  # the next evaluation starts afresh
    data = ColourDataset(60, 1)
    evaluator.process([dict(image=data.image, condition=Condition(label=data.label))])
    assert evaluator.evaluate(60)["fine"] == 1.0


def test_if_every_metric_fails_the_first_says_why():
    with pytest.raises(KeyError, match="a fault of the metric"):
        evaluated([dict(type="Failing", where="compute")]).evaluate(60)


def test_two_metrics_of_one_name_cost_the_second_only():
    evaluator = evaluated([dict(type="FID"), dict(type="FID")])
    assert set(evaluator.evaluate(60)) == {"fid"}
    assert "returns 'fid' too" in evaluator.report()["metrics"][1]["error"]


# --- Inception score over splits -------------------------------------------------------------------------


def plain_score(probabilities, splits, order):
    """In numpy and scipy, float64."""
    scores = []
    for part in np.array_split(probabilities[order], splits):
        scores.append(np.exp(entropy(part.T, part.mean(0)[:, None]).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def test_splits_of_images_in_class_order():
    logits = torch.zeros(500, 10)
    logits[torch.arange(500), torch.arange(500) // 50] = 12.0
    metric = InceptionScore(splits=10)
    metric.update(ExtractorOutput(torch.zeros(500, 3), logits), Condition())
    metric.merge()
    found = metric.compute()
    probabilities = torch.softmax(logits.double(), 1).numpy()
    draws = [plain_score(probabilities, 10, np.random.default_rng(i).permutation(500))[0] for i in range(200)]
    assert abs(found["inception_score"] - np.mean(draws)) < 4 * np.std(draws)
    assert plain_score(probabilities, 10, np.arange(500))[0] < 1.1  # what the order would give
    assert metric.settings()["seed"] == 0


def test_the_seed_decides_the_splits_and_none_keeps_the_order():
    logits = torch.randn(103, 5, generator=torch.Generator().manual_seed(0)) * 3
    figures = []
    for seed in (0, 0, 1, None):
        metric = InceptionScore(splits=4, seed=seed)
        metric.update(ExtractorOutput(torch.zeros(103, 3), logits), Condition())
        metric.merge()
        figures.append(metric.compute())
    assert figures[0] == figures[1] != figures[2]
    probabilities = torch.softmax(logits.double(), 1).numpy()[:100]
    expected = plain_score(probabilities, 4, np.arange(100))
    assert list(figures[3].values()) == pytest.approx(expected, rel=1e-6)


def test_one_split_and_ten_go_together():
    configs = metric_configs(["is", "is10", "fid"])
    figures = evaluated(configs).evaluate(60)
    assert {"inception_score", "inception_score_10_splits", "inception_score_10_splits_std", "fid"} == set(
        figures
    )
    assert evaluated(metric_configs(["is10"])).evaluate(60).keys() == {
        "inception_score",
        "inception_score_std",
    }


# --- settings of metrics by name -------------------------------------------------------------------------


def plain_kid(real, fake):
    """The unbiased estimate over all images, in numpy, float64."""
    n, m, width = len(real), len(fake), real.shape[1]
    within = 0.0
    for side in (real, fake):
        kernel = (side @ side.T / width + 1) ** 3
        within += (kernel.sum() - np.trace(kernel)) / (len(side) * (len(side) - 1))
    return within - 2 * ((real @ fake.T / width + 1) ** 3).sum() / (n * m)


def test_kid_of_few_images(tmp_path, capsys):
    sides = folder(tmp_path / "real", 30, 0), folder(tmp_path / "fake", 25, 500)
    report = evaluate_folders(*sides, COLOURS, ["kid:subset_size=20,subsets=7"])
    assert report["metrics"][0]["settings"]["subset_size"] == 20
    features = []
    for side in sides:
        images = [torch.from_numpy(np.array(Image.open(path))) for path in sorted(side.iterdir())]
        features.append(MeanColour()(torch.stack(images).permute(0, 3, 1, 2)).features.double().numpy())
    whole = evaluate_folders(*sides, COLOURS, ["kid:subsets=0"])["figures"]["kid"]
    assert whole == pytest.approx(plain_kid(*features), rel=1e-6)
    command = ["evaluate-folders", *map(str, sides), "--extractor", "digits-16"]
    capsys.readouterr()
    assert main([*command, "--metrics", "kid:subset_size=20"]) == 0
    assert "subset_size" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kid:subsetsize=3", "no setting 'subsetsize'. Did you mean 'subset_size'"),
        ("kid:subset_size", "write NAME:key=number"),
        ("kid:subset_size=many", "write NAME:key=number"),
        ("prdc:k=1.5", "prdc:k must be a whole number, got 1.5"),
        ("prdc:k=1e999", "prdc:k must be a finite number"),
        ("all:k=3", "no metric 'all' that takes settings"),
    ],
)
def test_settings_that_cannot_be(name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        metric_configs([name])


def test_whole_numbers_may_be_written_otherwise():
    assert metric_configs(["kid:subset_size=1e2"]) == [dict(type="KID", subset_size=100)]
    assert type(metric_configs(["kid:subset_size=1e2"])[0]["subset_size"]) is int


def test_a_report_replaces_no_picture(tmp_path, capsys):
    sides = folder(tmp_path / "real", 4, 0), folder(tmp_path / "fake", 6, 500)
    target = next(sides[0].iterdir())
    before = target.read_bytes()
    command = ["evaluate-folders", *map(str, sides), "--extractor", "digits-16", "--json", str(target)]
    assert main(command) == 2
    assert "must be named *.json" in capsys.readouterr().err and target.read_bytes() == before
