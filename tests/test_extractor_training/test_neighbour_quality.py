"""A small set is trained by updates, says how far it is, and how good its features became beside pixels."""

import json

import pytest
import torch
from PIL import Image

from mmcgan import progress
from mmcgan.cli import main
from mmcgan.extractor_training import train_ssl
from mmcgan.extractor_training.neighbour_quality import found_again, same_class
from mmcgan.extractor_training.train_ssl import SSLOptions, train_ssl_extractor
from mmcgan.registry import DATASETS, EXTRACTORS


def test_shares_of_neighbours_by_hand():
    vectors = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    assert same_class(vectors, torch.tensor([0, 0, 1, 1])) == 1.0
    assert same_class(vectors, torch.tensor([0, 1, 0, 1])) == 0.0
    assert found_again(vectors, vectors) == 1.0
    assert found_again(vectors[[1, 0, 2, 3]], vectors) == 0.5


def test_updates_are_made_whatever_the_epochs_would_be(tmp_path):
    dataset = DATASETS.build(dict(type="DigitsDataset", image_size=8))
    options = SSLOptions(widths=(4, 8), updates=3, batch_size=16, image_size=8)
    steps = []
    record = train_ssl_extractor(
        dataset, options, tmp_path / "a.safetensors", "", lambda *s: steps.append(s[:2]), compare=False
    )
    assert steps == [(1, 3), (2, 3), (3, 3)]
    quality = record["quality"]
    # beside it raw pixels; what is installed takes minutes on an old processor
    assert len(quality) == 4 and all(0 <= share <= 1 for share in quality.values())
    # digits that look alike are mostly the same: a figure that any reader can check
    assert quality["nearest image of the same class, by pixels"] > 0.9


def test_extractors_that_are_installed_are_judged_beside_it(tmp_path, monkeypatch):
    """The digits' own classifier stands for EfficientNet-Lite0, whose weights are an extra."""
    judge = {"the judge": EXTRACTORS.build(dict(type="SmallClassifier", weights="digits-16"))}
    monkeypatch.setattr(train_ssl, "installed_extractors", lambda: judge)
    dataset = DATASETS.build(dict(type="DigitsDataset", image_size=16))
    options = SSLOptions(widths=(4, 8), updates=2, batch_size=16, image_size=8)
    quality = train_ssl_extractor(dataset, options, tmp_path / "a.safetensors", "")["quality"]
    assert quality["nearest image of the same class, by the judge"] > 0.95  # it was trained for that
    assert quality["changed copy found among 1000 images, by the judge"] <= 1
    alone = train_ssl_extractor(dataset, options, tmp_path / "b.safetensors", "", compare=False)["quality"]
    assert not any("judge" in name for name in alone)


@pytest.fixture
def images(tmp_path):
    for number in range(40):
        Image.new("RGB", (8, 8), (number * 6, 90, 255 - number * 6)).save(tmp_path / f"{number:02d}.png")
    return tmp_path


@pytest.mark.parametrize(("given", "made"), [(["--updates", "7"], 7), (["--epochs", "3"], 6)])
def test_the_command_counts_updates_and_reports(images, given, made, tmp_path, capsys):
    out = tmp_path / "out" / "e.safetensors"
    small = ["--image-size", "8", "--batch-size", "20", *given]
    assert main(["train-ssl-extractor", "--images", str(images), "--out", str(out), *small]) == 0
    said = capsys.readouterr()
    assert "by features:" in said.out and "by pixels:" in said.out
    assert f"training {made}/{made}, loss" in said.err  # a line in a log, where no bar can be drawn
    assert set(json.loads(out.with_suffix(".json").read_text())["quality"])


def test_small_sets_get_a_thousand_updates_by_default():
    from mmcgan.commands.train_ssl_extractor import EPOCHS, LEAST_UPDATES

    assert max(LEAST_UPDATES, EPOCHS * (542 // 256)) == 1000


def test_a_log_gets_a_line_now_and_then_with_the_time_left(monkeypatch, capsys):
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with progress.training_bar() as tell:
        for step in range(1, 11):
            clock[0] += 9
            tell(step, 10, 1.5)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "training 3/10",
        "training 6/10",
        "training 9/10",
        "training 10/10",
    ]
    assert "1.1 min left" in lines[0]  # seven of nine seconds
