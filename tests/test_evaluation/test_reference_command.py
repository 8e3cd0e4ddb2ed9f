import pytest

from mmcgan.cli import main
from mmcgan.commands.reference_stats import reference_of
from mmcgan.registry import EVALUATOR


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


def test_written_file_serves_the_evaluator_of_the_config(tmp_path, capsys):
    from mmcgan.config import load_config

    out = tmp_path / "digits.safetensors"
    assert main(["reference-stats", "omnigan_biggan_digits-16", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"{out}: 1438 images, 64 features of small-classifier:digits-16" in printed
    assert f"test_evaluator.reference.path={out}" in printed
    config = load_config("omnigan_biggan_digits-16", {"test_evaluator.reference.path": str(out)})
    evaluator = EVALUATOR.build(config.test_evaluator)
    assert evaluator.reference.statistics().count == 1438
    assert not (tmp_path / "cache").exists()


def test_out_must_be_safetensors(tmp_path, capsys):
    assert main(["reference-stats", "omnigan_biggan_digits-16", "--out", str(tmp_path / "digits.npz")]) == 2
    assert "must be named *.safetensors" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_config_without_reference_is_named():
    with pytest.raises(ValueError, match="val_evaluator has no reference images"):
        reference_of(dict(val_evaluator=dict(type="Evaluator", metrics=[])), "val_evaluator", None)
