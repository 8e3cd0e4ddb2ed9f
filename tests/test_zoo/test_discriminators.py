"""Discriminators of runs, exported ones and those that ship."""

import json

import pytest
import torch

from mmcgan.cli import main
from mmcgan.models.discriminator import Discriminator
from mmcgan.structures import Condition
from mmcgan.weights import read_index
from mmcgan.zoo.discriminators import export_discriminator, load_discriminator, shipped_for

DISCRIMINATOR = dict(
    backbone=dict(type="DCGANBackbone", image_size=8, base_channels=4),
    heads=dict(adv=dict(type="ProjectionHead", num_classes=3)),
)
DATA = dict(dataset=dict(type="DigitsDataset", split="train", image_size=16))


@pytest.fixture
def run(tmp_path):
    """A checkpoint as a run writes it, and its network."""
    torch.manual_seed(1)
    network = Discriminator(**DISCRIMINATOR).eval()
    state = {f"discriminator.{key}": value for key, value in network.state_dict().items()}
    text = f"model = {dict(discriminator=DISCRIMINATOR)!r}\ntrain_dataloader = {DATA!r}\n"
    torch.save({"state_dict": state, "meta": {"cfg": text, "iter": 7}}, tmp_path / "run.pth")
    return tmp_path / "run.pth", network


def test_a_run_and_its_export_score_alike(run, tmp_path):
    checkpoint, network = run
    assert (
        main(["export-weights", str(checkpoint), str(tmp_path / "own.safetensors"), "--discriminator"]) == 0
    )
    image, condition = torch.rand(4, 3, 8, 8) * 2 - 1, Condition(label=torch.arange(4) % 3)
    expected = network(image, condition)["adv.logit"]
    for source in (checkpoint, tmp_path / "own.safetensors"):
        found = load_discriminator(source)
        torch.testing.assert_close(found.network(image, condition)["adv.logit"], expected)
        assert not found.network.training and found.record.iteration == 7
        assert not any(parameter.requires_grad for parameter in found.network.parameters())
    entry = json.loads((tmp_path / "index.json").read_text())["own"]
    assert (entry["kind"], entry["dataset"]) == ("discriminator", DATA["dataset"])
    export_discriminator(checkpoint, tmp_path / "half.safetensors", half=True)
    half = load_discriminator(tmp_path / "half.safetensors").network(image, condition)["adv.logit"]
    torch.testing.assert_close(half, expected, rtol=1e-2, atol=1e-2)


def test_shipped_ones_are_found_by_their_images():
    name = shipped_for({"type": "FashionMNIST", "split": "train", "image_size": 32, "root": "elsewhere"})
    assert name in read_index("discriminator")
    assert load_discriminator(name).record.dataset["type"] == "FashionMNIST"
    assert shipped_for({"type": "FashionMNIST", "image_size": 64}) is None
    assert shipped_for({}) is None


def test_what_is_no_discriminator_is_said(run, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no shipped discriminator or file 'biggan'.*omni-inr"):
        load_discriminator("biggan")
    torch.save({"state_dict": {"generator.weight": torch.zeros(1)}}, tmp_path / "half.pth")
    with pytest.raises(ValueError, match="holds no discriminator"):
        load_discriminator(tmp_path / "half.pth")
    with pytest.raises(ValueError, match="holds no discriminator"):
        export_discriminator(tmp_path / "half.pth", tmp_path / "out.safetensors")
    with pytest.raises(ValueError, match=r"exported weights are NAME\.safetensors"):
        export_discriminator(run[0], tmp_path / "out.pth")
    export_discriminator(run[0], tmp_path / "out.safetensors")
    with pytest.raises(FileExistsError):
        export_discriminator(run[0], tmp_path / "out.safetensors")
