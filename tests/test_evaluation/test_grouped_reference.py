import json

import pytest
import torch
from safetensors import safe_open

from mmcgan.cli import main
from mmcgan.evaluation import StratifiedFID
from mmcgan.evaluation.statistics.grouped_reference import (
    grouped_statistics,
    load_grouped,
    parse_groups,
    save_grouped,
)
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.registry import DATASETS
from mmcgan.structures import Condition
from tests.test_evaluation.stand_ins import MeanColour

DIGITS = dict(type="DigitsDataset", split="test")


def reference():
    return Reference(DATASETS.build(dict(DIGITS)), MeanColour(), keep=False, batch_size=50)


def test_each_group_has_the_statistics_of_its_images_alone(tmp_path):
    source = reference()
    groups = parse_groups(["low=0,1", "seven=7"], source.dataset)
    found = grouped_statistics(source, groups)
    images = source.dataset.__getitems__(range(len(source.dataset)))
    rows = images["label"] < 2
    features = source.extractor(images["image"][rows]).features.double()
    assert found["low"].count == int(rows.sum())
    torch.testing.assert_close(found["low"].mean, features.mean(dim=0))
    torch.testing.assert_close(found["low"].covariance, features.T.cov())
    save_grouped(tmp_path / "groups.safetensors", found, groups, source.identity())
    loaded, members = load_grouped(tmp_path / "groups.safetensors", source.identity())
    assert torch.equal(loaded["seven"].covariance, found["seven"].covariance)
    assert loaded["seven"].count == found["seven"].count
    assert members == groups


def test_words_stand_for_common_groupings():
    dataset = reference().dataset
    assert parse_groups(["class"], dataset)["3"] == [3]
    assert len(parse_groups(["class"], dataset)) == 10
    assert list(parse_groups(["frequency"], dataset)) == ["medium"]  # 30 to 40 images of each digit


@pytest.mark.parametrize("text", ["low=0,x", "low", "=1", "low=0,10"])
def test_malformed_groups_are_named(text):
    with pytest.raises(ValueError, match=f"group '{text}'"):
        parse_groups([text], reference().dataset)


def test_the_command_writes_one_file_for_all_groups(tmp_path, capsys):
    out = tmp_path / "classes.safetensors"
    assert main(["reference-stats", "biggan_digits-16", "--groups", "class", "--out", str(out)]) == 0
    assert "10 groups of small-classifier:digits-16" in capsys.readouterr().out
    with safe_open(out, framework="pt") as file:
        assert sum(json.loads(file.metadata()["counts"]).values()) == 1438
    assert main(["reference-stats", "biggan_digits-16", "--groups", "class"]) == 2
    assert "--groups needs --out" in capsys.readouterr().err


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"x\.safetensors: not statistics of groups"):
        load_grouped(path, {})
    with pytest.raises(FileNotFoundError, match="Make it with mmcgan reference-stats"):
        load_grouped(tmp_path / "gone", {})


def figures(source, **options):
    metric = StratifiedFID(**options)
    metric.prepare(source.extractor, source)
    images = source.dataset.__getitems__(range(100))
    noisy = (images["image"].float() * 0.8).byte()
    metric.update(source.extractor(noisy), Condition(label=images["label"]))
    return metric.compute()


def test_the_metric_reads_what_the_command_writes(tmp_path, monkeypatch):
    source, path = reference(), tmp_path / "groups.safetensors"
    groups = parse_groups(["low=0,1,2", "seven=7,8"], source.dataset)
    save_grouped(path, grouped_statistics(source, groups), groups, source.identity())
    expected = figures(source, groups=groups)
    monkeypatch.setattr(Reference, "outputs", lambda *args: pytest.fail("the real images are read again"))
    assert figures(source, statistics=str(path)) == pytest.approx(expected, rel=1e-12)
    other = Reference(DATASETS.build(dict(DIGITS, split="train")), MeanColour(), keep=False)
    with pytest.raises(ValueError, match=r"groups\.safetensors: the reference statistics do not belong"):
        figures(other, statistics=str(path))
    with pytest.raises(ValueError, match="one of them"):
        StratifiedFID(groups=groups, statistics=str(path))
