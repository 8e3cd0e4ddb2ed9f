import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.config.tiny import load_tiny_config
from mmcgan.registry import BACKBONES, MODELS
from mmcgan.restoration import (
    DiscriminatorDistance,
    RestoreOptions,
    Stage,
    block_features,
    load_prior,
    restore,
)
from tests.test_restoration.digits import digit_file

ROOT = Path(__file__).resolve().parents[2]
MODEL = "omnigan_biggan_digits-16"
STAGES = [Stage(20, 1e-3, 5e-2, depth=1), Stage(20, 1e-3, 1e-2, depth=3)]
FEW = RestoreOptions(candidates=16)


@pytest.fixture(scope="module")
def prior():
    return load_prior(MODEL)


@pytest.fixture
def digit(tmp_path):
    return digit_file(tmp_path, width=16)


def test_tuning_improves_the_image_and_leaves_the_model_alone(prior, digit, tmp_path):
    before = {key: value.clone() for key, value in prior.generator.state_dict().items()}
    short = restore(prior, [digit], "reconstruct", [Stage(1, 0.0, 0.0)], out=tmp_path / "a", options=FEW)
    long = restore(prior, [digit], "reconstruct", STAGES, out=tmp_path / "b", options=FEW)
    assert long[0].figures["psnr"] > short[0].figures["psnr"] + 1
    assert all(torch.equal(value, before[key]) for key, value in prior.generator.state_dict().items())
    assert Image.open(long[0].picture).size == (16, 16)
    assert long[0].sheet.is_file()


def test_a_prior_that_is_sampled_wider_is_searched_as_it_was_trained(prior, digit, tmp_path):
    wide = replace(prior, loaded=prior.loaded.with_latent_scale(2.0))
    first = [Stage(1, 0.0, 0.0)]
    pictures = [
        np.asarray(Image.open(restore(each, [digit], "reconstruct", first, out=out, options=FEW)[0].picture))
        for each, out in ((prior, tmp_path / "narrow"), (wide, tmp_path / "wide"))
    ]
    assert np.array_equal(*pictures)


def test_images_done_before_are_passed_over_and_other_settings_refused(prior, digit, tmp_path):
    stages, out = [Stage(1)], tmp_path / "out"
    first = restore(prior, [digit], "reconstruct", stages, out=out, options=FEW)
    stamp = first[0].picture.stat().st_mtime_ns
    again = restore(prior, [digit], "reconstruct", stages, out=out, options=FEW)
    assert again[0].skipped
    assert again[0].figures == first[0].figures
    assert first[0].picture.stat().st_mtime_ns == stamp
    with pytest.raises(FileExistsError, match="other settings"):
        restore(prior, [digit], "reconstruct", [Stage(2)], out=out, options=FEW)
    assert json.loads((out / "three_reconstruct.json").read_text())["settings"]["plan"]["candidates"] == 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "sharpen"}, "task='sharpen': choose one of reconstruct"),
        ({"task": "morph"}, "give two, got 1"),
        ({"task": "transfer"}, "needs the class"),
        ({"options": RestoreOptions(factor=2)}, "factor=2 is of the tasks sr and hybrid"),
        ({"options": RestoreOptions(label=10)}, "has the classes 0..9"),
        ({"options": RestoreOptions(size=64)}, "makes images of 16 x 16 only"),
        ({"options": RestoreOptions(render=64)}, "makes images of 16 x 16 only"),
        ({"options": RestoreOptions(lpips="resnet")}, "lpips='resnet': choose one of alex"),
        ({"stages": [Stage(depth=9)]}, "depth=9: BigGANGenerator has 3 groups"),
    ],
)
def test_what_does_not_fit_is_said(prior, digit, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        restore(prior, [digit], **{"task": "reconstruct", "out": tmp_path / "out", "options": FEW, **changes})
    assert not (tmp_path / "out").exists()


def test_a_discriminator_of_the_same_images_is_found():
    prior = load_prior(MODEL)
    assert prior.compared == "omni-inr_biggan_digits-16-discriminator" and not prior.pixels_only
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    assert float(prior.distance(image, image, 3)) == 0
    assert float(prior.distance(image, -image, 3)) > 0
    assert load_prior(MODEL, distance="pixels").pixels_only


def test_the_discriminator_of_a_run_comes_first(tmp_path):
    config = load_tiny_config(ROOT / "configs" / "omni_inr" / "omni-inr_biggan_digits-16.py")
    model = MODELS.build(config.model)
    state = {key: value for key, value in model.state_dict().items() if "generator_ema" not in key}
    torch.save({"state_dict": state, "meta": {"cfg": config.pretty_text}}, tmp_path / "iter_1.pth")
    prior = load_prior(tmp_path / "iter_1.pth")
    assert prior.compared == "iter_1"
    backbone = model.discriminator.backbone.eval()
    image, other = torch.rand(2, 1, 3, 16, 16) * 2 - 1
    expected = DiscriminatorDistance(backbone)(image, other, 4)
    torch.testing.assert_close(prior.distance(image, other, 4), expected)
    shipped = load_prior(tmp_path / "iter_1.pth", discriminator="omni-inr_biggan_digits-16-discriminator")
    assert not torch.allclose(shipped.distance(image, other, 4), expected)


def test_a_missing_discriminator_is_said(monkeypatch):
    monkeypatch.setattr("mmcgan.restoration.prior.shipped_for", lambda dataset: None)
    assert load_prior(MODEL).pixels_only
    with pytest.raises(ValueError, match="comes without its discriminator"):
        load_prior(MODEL, distance="discriminator")
    with pytest.raises(ValueError, match="distance=pixels compares without the discriminator x"):
        load_prior(MODEL, distance="pixels", discriminator="x")


def test_every_block_of_any_backbone_is_a_feature():
    image = torch.zeros(1, 3, 32, 32)
    backbone = BACKBONES.build({"type": "ResNetBackbone", "image_size": 32, "base_channels": 4}).eval()
    features = block_features(backbone, image)
    assert len(features) == len(backbone.blocks) + 1
    assert features[-1].shape == (1, backbone.out_channels)
    with pytest.raises(ValueError, match="features=99: this discriminator has"):
        DiscriminatorDistance(backbone)(image, image, 99)


def test_stages_and_plans_refuse_nonsense():
    with pytest.raises(ValueError, match="latent_rate of a stage must not be negative"):
        Stage(latent_rate=-1)
    with pytest.raises(ValueError, match="at least 1 iteration"):
        Stage(iterations=0)


def test_a_masked_part_is_filled_and_the_rest_kept_whatever_stands_in_it(prior, digit, tmp_path):
    marks = np.zeros((16, 16), np.uint8)
    marks[2:6, 3:9] = 255
    mask = tmp_path / "mask.png"
    Image.fromarray(marks).save(mask)
    before = np.asarray(Image.open(digit).convert("RGB"))
    results = []
    for scribble in (0, 255):
        damaged = before.copy()
        damaged[marks > 0] = scribble
        file = tmp_path / f"damaged{scribble}.png"
        Image.fromarray(damaged).save(file)
        options = RestoreOptions(candidates=4, degraded=True, mask=mask)
        (made,) = restore(prior, [file], "inpaint", [Stage(2)], out=tmp_path / "out", options=options)
        results.append(np.asarray(Image.open(made.picture)))
    assert np.array_equal(results[0][marks == 0], before[marks == 0])
    assert np.array_equal(results[0], results[1])


def test_a_mask_is_part_of_the_settings_and_must_fit(prior, digit, tmp_path):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.eye(16, dtype=np.uint8) * 255).save(mask)
    options = RestoreOptions(candidates=1, mask=mask)
    stages = [Stage(1)]
    restore(prior, [digit], "inpaint", stages, out=tmp_path / "out", options=options)
    Image.fromarray(255 - np.eye(16, dtype=np.uint8) * 255).save(mask)
    with pytest.raises(FileExistsError, match="other settings"):
        restore(prior, [digit], "inpaint", stages, out=tmp_path / "out", options=options)
    Image.new("L", (8, 16)).save(mask)
    with pytest.raises(ValueError, match=r"8 x 16 .* is 16 x 16"):
        restore(prior, [digit], "inpaint", stages, out=tmp_path / "b", options=options)
    with pytest.raises(ValueError, match="of the task inpaint, not of sr"):
        restore(prior, [digit], "sr", stages, out=tmp_path / "b", options=options)
    with pytest.raises(FileNotFoundError, match="no mask"):
        restore(
            prior, [digit], "inpaint", stages, out=tmp_path / "b", options=RestoreOptions(mask="none.png")
        )
