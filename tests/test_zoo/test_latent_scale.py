"""Latents wider than in training: what is evaluated is what is exported, sampled and evaluated again."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.apis import load_model, sample
from mmcgan.cli import main
from mmcgan.config import load_config
from mmcgan.registry import MODELS
from mmcgan.zoo.models import export_weights

NAME = "biggan_digits-16"
SCALE = 1.5


def checkpoint_of(folder, change=0.0):
    """Write a run's checkpoint with the shipped weights, moved by ``change``."""
    config = load_config(NAME)
    model = MODELS.build(config.model)
    averaged = model.generator_ema
    averaged.load_state_dict(load_model(NAME).model.generator.state_dict())
    averaged.linear.bias.data += change
    meta = {"cfg": config.pretty_text, "iter": 7}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, folder / "run.pth")
    return folder / "run.pth"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Folder of a checkpoint and of the report of its evaluation at three scales."""
    folder = tmp_path_factory.mktemp("scales")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMCGAN_CACHE", str(folder / "cache"))
        tested = ["test", NAME, str(checkpoint_of(folder)), "--num", "80", "--work-dir", str(folder / "work")]
        files = ["--json", str(folder / "report.json"), "--picture", str(folder / "scales.png")]
        assert main([*tested, *files, "--latent-scales", "0.5", "1", str(SCALE)]) == 0
        assert main([*tested, "--json", str(folder / "plain.json")]) == 0
        exported = ["export-weights", str(folder / "run.pth"), str(folder / "wide.safetensors")]
        assert main([*exported, "--latent-scale", str(SCALE), "--report", str(folder / "report.json")]) == 0
    return folder


def entries_of(report):
    return {entry["latent_scale"]: entry for entry in json.loads(report.read_text())["sweep"]}


def test_every_scale_is_an_evaluation_of_its_own(run):
    found = entries_of(run / "report.json")
    assert list(found) == [0.5, 1.0, SCALE]
    fids = [entry["summary"]["fid"]["mean"] for entry in found.values()]
    assert len(set(fids)) == 3
    plain = entries_of(run / "plain.json")[None]
    assert plain["summary"] == found[1.0]["summary"]
    laws = [entry["reports"][0]["conditions"]["latent_sampler"] for entry in found.values()]
    assert laws[1] == "NormalLatent" and "0.5" in laws[0] and str(SCALE) in laws[2]
    assert Image.open(run / "scales.png").width > 400


def test_exported_weights_say_their_scale_and_its_figures(run):
    record = load_model(run / "wide.safetensors").record
    wide = entries_of(run / "report.json")[SCALE]["summary"]
    assert record.metrics == {name: value["mean"] for name, value in wide.items()}
    assert record.latent_sampler["scale"] == SCALE


@pytest.mark.parametrize("config", [[], [NAME]], ids=["the file alone", "with a config"])
def test_samples_of_the_exported_file_are_those_of_the_checkpoint_at_that_scale(run, config, tmp_path):
    exported = [*config, run / "wide.safetensors"]
    sample(*exported, num=4, out=tmp_path / "exported")
    sample(NAME, run / "run.pth", num=4, out=tmp_path / "run", latent_scale=SCALE)
    sample(NAME, run / "run.pth", num=4, out=tmp_path / "narrow")
    sample(*exported, num=4, out=tmp_path / "back", latent_scale=1.0)
    images = {
        name: np.stack([np.asarray(Image.open(file)) for file in sorted((tmp_path / name).glob("*.png"))])
        for name in ("exported", "run", "narrow", "back")
    }
    assert np.array_equal(images["exported"], images["run"])
    assert np.array_equal(images["back"], images["narrow"])
    assert not np.array_equal(images["run"], images["narrow"])


def test_an_evaluation_of_the_exported_file_gives_the_recorded_figures(run, tmp_path):
    tested = ["test", NAME, str(run / "wide.safetensors"), "--num", "80", "--work-dir", str(tmp_path)]
    assert main([*tested, "--json", str(tmp_path / "again.json")]) == 0
    again = entries_of(tmp_path / "again.json")[None]["summary"]
    recorded = load_model(run / "wide.safetensors").record.metrics
    assert {name: value["mean"] for name, value in again.items()} == pytest.approx(recorded, rel=1e-6)


def test_a_file_that_says_its_width_is_evaluated_at_others_too(run, tmp_path):
    tested = ["test", NAME, str(run / "wide.safetensors"), "--num", "80", "--work-dir", str(tmp_path)]
    assert main([*tested, "--latent-scales", "0.5", "--json", str(tmp_path / "other.json")]) == 0
    found, before = entries_of(tmp_path / "other.json"), entries_of(run / "report.json")
    assert found[0.5]["summary"]["fid"]["mean"] == pytest.approx(
        before[0.5]["summary"]["fid"]["mean"], rel=1e-6
    )


def test_a_loaded_model_keeps_its_width_when_one_call_asks_for_another(run, tmp_path):
    loaded = load_model(run / "wide.safetensors")
    sample(loaded, num=1, out=tmp_path / "one", latent_scale=1.0)
    assert loaded.model.latent_sampler.scale == SCALE


def test_figures_of_another_width_are_not_recorded(run, tmp_path):
    export_weights(run / "run.pth", tmp_path / "a.safetensors", latent_scale=SCALE)
    assert load_model(tmp_path / "a.safetensors").record.metrics == {}
    other = tmp_path / "other"
    other.mkdir()
    wrong = [
        (checkpoint_of(other, 0.01), SCALE, "is of another checkpoint than"),
        (run / "run.pth", 1.7, r"latents x 1.7; it has 0.5, 1, 1.5"),
        (run / "run.pth", None, "latents as trained; it has"),
        (run / "run.pth", 0.0, "above 0, got 0.0"),
    ]
    for checkpoint, scale, message in wrong:
        with pytest.raises(ValueError, match=message):
            export_weights(
                checkpoint, tmp_path / "b.safetensors", latent_scale=scale, report=run / "report.json"
            )
    assert not (tmp_path / "b.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--latent-scales", "0"], "give a finite number above 0, got 0.0"),
        (["--latent-scales", "1", "1"], "every one only once"),
        (["--latent-scales", "1", "2", "--batch-statistics", "average"], "evaluate one at a time"),
    ],
)
def test_scales_that_cannot_be_are_named_before_work(arguments, message, tmp_path, capsys):
    assert main(["test", NAME, "--work-dir", str(tmp_path / "work"), *arguments]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "work").exists()
