"""Classifiers of attributes: trained, written, shipped, refused where they do not belong."""

import re
from dataclasses import replace

import pytest
import torch

from mmcgan import weights
from mmcgan.attributes import AttributeGroups
from mmcgan.cli import main
from mmcgan.commands.train_classifier import find_recipe
from mmcgan.config import find_config
from mmcgan.extractor_training.train_attributes import attribute_loss
from mmcgan.extractor_training.train_classifier import RECIPES, TrainOptions
from mmcgan.extractors import AttributeClassifier, SmallClassifier
from mmcgan.extractors.names import extractor_config
from mmcgan.registry import EXTRACTORS
from tests.test_datasets.image_files import picture, save

NAME = "two-domain-digits-16"


def test_loss_is_cross_entropy_of_every_exclusive_group_plus_binary_of_free_ones():
    groups = AttributeGroups.from_config({"a": ["x", "y"], "free": {"any_of": ["u", "v"]}})
    logits = torch.tensor([[2.0, -1.0, 0.5, -3.0]], dtype=torch.float64)
    wanted = torch.tensor([[0.0, 1.0, 1.0, 0.0]], dtype=torch.float64)
    log = torch.tensor
    exclusive = (log(2.0).double().exp() + log(-1.0).double().exp()).log() + 1.0
    free = (torch.nn.functional.softplus(-logits[0, 2]) + torch.nn.functional.softplus(logits[0, 3])) / 2
    assert attribute_loss(logits, wanted, groups).item() == pytest.approx((exclusive + free).item())


def test_command_writes_a_classifier_of_all_groups(tmp_path, capsys, monkeypatch):
    tiny = TrainOptions(widths=(8, 16), epochs=1, batch_size=64, precision="float32")
    small = dict(type="TwoDomainDigits", split="test", image_size=16)
    monkeypatch.setitem(RECIPES, NAME, replace(RECIPES[NAME], train=small, test=small, options=tiny))
    out = tmp_path / "tiny.safetensors"
    assert main(["train-classifier", NAME, "--out", str(out)]) == 0
    extractor = AttributeClassifier(str(out))
    printed = capsys.readouterr().out
    assert f"  domain: {extractor.record.group_accuracy['domain']:.2%}" in printed
    assert list(extractor.record.group_accuracy) == ["digit", "domain"]
    assert extractor.record.classes[-1] == "domain=textured"
    output = extractor(torch.zeros(2, 3, 16, 16, dtype=torch.uint8))
    assert output.logits.shape == (2, 12) and output.features.shape == (2, extractor.feature_dim)
    # columns of several groups are no classes of one: the Inception Score must not take them for that
    assert extractor.num_classes is None
    with pytest.raises(ValueError, match=r"classifies attributes; use dict\(type='AttributeClassifier'\)"):
        SmallClassifier(str(out))


def test_config_gives_its_training_set():
    recipe = find_recipe("omnigan-multi-label-held-out_biggan_two-domain-digits-16", flip=False)
    assert len(recipe.train["leave_out"]) == 3 and recipe.test["split"] == "test"


def test_shipped_file_and_index_agree():
    record, inside = weights.read_index("attribute-classifier")[NAME], AttributeClassifier(NAME).record
    assert weights.weight_path(NAME).stat().st_size < 200_000
    assert record["attributes"] == inside.attributes
    assert (record["command"], record["dataset"]) == (inside.command, inside.dataset)
    assert record["group_accuracy"]["digit"] == round(inside.group_accuracy["digit"], 4)
    assert extractor_config(NAME) == dict(type="AttributeClassifier", weights=NAME)


def test_wrong_weights_are_named():
    with pytest.raises(FileNotFoundError, match=r"'two-domain' is neither a file .*two-domain-digits-16"):
        EXTRACTORS.build(dict(type="AttributeClassifier", weights="two-domain"))
    path = weights.weight_path("digits-16")
    with pytest.raises(ValueError, match="classifies one set of classes, no attributes"):
        AttributeClassifier(str(path))


@pytest.fixture
def own_images(tmp_path):
    """A folder with a table of attributes, without a column for splits, and a config that trains on it."""
    images = tmp_path / "images"
    rows = ["file,shape,bright"]
    for number in range(41):
        shape, bright = ("round", "square")[number % 2], number % 4 // 2
        name = f"{number}.png"
        save(images / name, picture(16, 16, seed=number))
        rows.append(f"{name},{'odd' if number == 40 else shape},{bright}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    config = tmp_path / "own.py"
    dataset = dict(type="AttributeFolder", root=str(images), table=str(tmp_path / "table.csv"), image_size=16)
    config.write_text(
        f"_base_ = {str(find_config('omnigan-multi-label_biggan_two-domain-digits-16'))!r}\n"
        f"train_dataloader = dict(dataset=dict(_delete_=True, **{dataset!r}))\n"
    )
    return config


@pytest.mark.parametrize(("share", "tested"), [(None, 8), ("0.5", 20)])
def test_a_share_of_each_combination_of_ones_own_attributes_is_held_out(
    own_images, tmp_path, capsys, share, tested
):
    out = tmp_path / "own.safetensors"
    more = [] if share is None else ["--held-out", share]
    assert main(["train-classifier", str(own_images), "--out", str(out), "--epochs", "1", *more]) == 0
    record = AttributeClassifier(str(out)).record
    assert record.test_images == tested and record.held_out == float(share or 0.2)
    said = capsys.readouterr().out
    assert f"on {tested} real test images (held out: {record.held_out:.0%} of each combination): " in said


@pytest.mark.parametrize("share", ["0", "1", "-0.2", "nan"])
def test_shares_that_are_none(own_images, tmp_path, capsys, share):
    arguments = [
        "train-classifier",
        str(own_images),
        "--out",
        str(tmp_path / "x.safetensors"),
        "--held-out",
        share,
    ]
    assert main(arguments) == 2
    assert re.search("hold out|held-out", capsys.readouterr().err)
    assert main(["train-classifier", NAME, *arguments[2:-1], "0.3"]) == 2
    assert "has a test set" in capsys.readouterr().err
