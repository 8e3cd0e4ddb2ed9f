"""Models of which a photo's condition cannot be known are refused before work, by command and demo."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.cli import main
from mmcgan.condition_fields import condition_field
from mmcgan.demo.tabs import restore as tab
from mmcgan.restoration import RestoreOptions, load_prior, restore
from mmcgan.restoration.prior import check_restores
from mmcgan.weights import read_index
from mmcgan.zoo.models import load_model

SPADE, DIGITS = "spade-omni-long_scenes-64", "omnigan_biggan_digits-16"


@pytest.fixture
def photo(tmp_path):
    levels = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "64.png")
    return tmp_path / "64.png"


@pytest.mark.parametrize("name", read_index("generator"))
def test_of_every_shipped_model_the_command_and_the_demo_say_the_same(name):
    loaded = load_model(name)
    of_maps = any(field in ("label_map", "edge_map") for field in loaded.requires)
    assert of_maps == any(not condition_field(field).interpolates for field in loaded.requires)
    if tab.can(loaded):
        check_restores(loaded)
        assert not of_maps
    else:
        with pytest.raises(ValueError, match=r"restores none|stages"):
            load_prior(name)


@pytest.mark.parametrize("task", ["reconstruct", "colorize", "sr"])
def test_a_model_of_label_maps_is_refused_before_anything_is_written(task, photo, tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            main(["restore", str(photo), "--task", task, "--model", SPADE, "--out", str(tmp_path / "r")]) == 2
        )
    said = capsys.readouterr().err
    assert f"{SPADE} is conditioned on label_map: which one a photo belongs to is not known" in said
    assert "learning rates" not in said and not (tmp_path / "r").exists()


def test_a_loss_that_is_not_finite_from_the_start_blames_no_learning_rate(photo, tmp_path):
    prior = load_prior(DIGITS, distance="pixels")
    with torch.no_grad():
        next(iter(prior.generator.parameters())).fill_(float("nan"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(ValueError, match="iteration 1: the loss is nan; the model's image"):
            restore(prior, [photo], out=tmp_path / "r", options=RestoreOptions(candidates=0, share=0.01))
