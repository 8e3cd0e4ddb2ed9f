"""Weights are judged under the latent law that they were trained with, or not at all."""

import pytest

from mmcgan.cli import main
from mmcgan.zoo.latent_law import law_of_run, require_law

NORMAL, UNIFORM = dict(type="NormalLatent"), dict(type="UniformLatent")


@pytest.mark.parametrize("settings", [[], ["--truncations", "0.5"]])
def test_another_law_in_the_config_is_refused(settings, tmp_path, capsys):
    work = ["--work-dir", str(tmp_path), "--num", "8"]
    options = ["--cfg-options", "model.latent_sampler={'type': 'UniformLatent'}"]
    assert main(["test", "biggan_digits-16", *work, *settings, *options]) == 2
    error = capsys.readouterr().err
    assert "was trained with the latents {'type': 'NormalLatent'" in error and "UniformLatent" in error


def test_the_law_of_a_run_is_in_its_config():
    text = "model = dict(type='ConditionalGAN', latent_sampler={})\n"
    assert law_of_run({"cfg": text.format("dict(type='UniformLatent')")}) == UNIFORM
    assert law_of_run({"cfg": text.format("None")}) == NORMAL
    assert law_of_run({"cfg": "broken("}) is None and law_of_run({}) is None


def test_what_is_the_same_law():
    require_law(None, UNIFORM, "x")
    require_law({}, UNIFORM, "x")
    require_law(NORMAL, None, "x")
    wide = dict(type="ScaledLatent", noise=NORMAL, scale=1.5)
    require_law(NORMAL, wide, "x")  # a config that scales the very law that was trained with says so
    with pytest.raises(ValueError, match="x was trained with"):
        require_law(wide, NORMAL, "x")
    require_law({**NORMAL, "latent_dim": 8}, {**NORMAL, "latent_dim": 8}, "x")
    with pytest.raises(ValueError, match="x was trained with the latents"):
        require_law(UNIFORM, None, "x")
    with pytest.raises(ValueError, match="x was trained with"):
        require_law(
            dict(type="TruncatedNormalLatent", threshold=1.0),
            dict(type="TruncatedNormalLatent", threshold=2.0),
            "x",
        )
