"""Sampling with a run's discriminator."""

import pytest
import torch

from mmcgan.apis.latent_moves import attach_move
from mmcgan.cli import main
from mmcgan.models.discriminator import Discriminator
from mmcgan.samplers import LangevinLatents, OptimizedLatents
from mmcgan.structures import Condition
from tests.test_apis.test_sample import loaded

DISCRIMINATOR = dict(
    backbone=dict(type="DCGANBackbone", image_size=8, base_channels=4),
    heads=dict(adv=dict(type="ProjectionHead", num_classes=3)),
)


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    torch.manual_seed(1)
    state = {
        f"discriminator.{key}": value for key, value in Discriminator(**DISCRIMINATOR).state_dict().items()
    }
    text = f"model = {dict(discriminator=DISCRIMINATOR)!r}\n"
    torch.save({"state_dict": state, "meta": {"cfg": text}}, tmp_path / "run.pth")
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: loaded())
    return tmp_path / "run.pth"


def test_the_discriminator_of_the_run_moves_latents_up(checkpoint):
    model = loaded()
    condition, latent = Condition(label=torch.arange(12) % 3), torch.randn(12, 6)
    before = model.model.sample(condition, latent)
    attach_move(model, OptimizedLatents(steps=20, bound=None), checkpoint)
    after = model.model.sample(condition, latent)
    with torch.no_grad():
        scores = [
            model.model.discriminator(image, condition)["adv.logit"].mean() for image in (before, after)
        ]
    assert scores[1] > scores[0]


def test_the_command_samples_with_ddls_and_says_what_it_needs(checkpoint, tmp_path, capsys):
    out = tmp_path / "moved"
    arguments = ["--num", "2", "--out", str(out)]
    assert main(["sample", str(checkpoint), "--ddls", "3", *arguments]) == 0
    assert len(list(out.glob("0*.png"))) == 2
    assert main(["sample", "pets", "--ddls", "3", *arguments, "--overwrite"]) == 2
    assert "which a run's .pth checkpoint holds" in capsys.readouterr().err
    assert main(["sample", str(checkpoint), "--ddls", "0", *arguments, "--overwrite"]) == 2
    assert "--ddls must be at least 1" in capsys.readouterr().err


def test_a_checkpoint_without_a_discriminator_is_refused(tmp_path):
    torch.save({"state_dict": {"generator.weight": torch.zeros(1)}}, tmp_path / "half.pth")
    with pytest.raises(ValueError, match="holds no discriminator with its config"):
        attach_move(loaded(), LangevinLatents(steps=1), tmp_path / "half.pth")
