"""What is asked in vain is answered in a sentence, before anything is made."""

import zipfile

import pytest
import torch

from mmcgan.cli import main

TINY = (
    "train_cfg.max_iters=1",
    "train_cfg.val_interval=1000000",
    "train_dataloader.batch_size=4",
    "model.step.n_critic=1",
)


def refusal(arguments, capsys):
    assert main([str(part) for part in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("mmcgan: error: ") and "Traceback" not in said
    return said


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    assert main(["train", "biggan_digits-16", "--work-dir", str(folder), "--cfg-options", *TINY]) == 0
    return next(folder.glob("iter_*.pth"))


def test_our_own_checkpoint_needs_no_conversion(checkpoint, tmp_path, capsys):
    said = refusal(["convert", checkpoint, tmp_path / "out.safetensors"], capsys)
    assert str(checkpoint) in said and "needs no conversion" in said and "--to" in said
    assert not any(tmp_path.iterdir())


def test_label_maps_are_not_interpolated(tmp_path, capsys):
    said = refusal(["interpolate", "spade-omni_scenes-64", "--out", tmp_path / "out.png"], capsys)
    assert "spade-omni_scenes-64" in said and "label_map" in said and "mmcgan sample" in said
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(0, 0), (0, 32), (32, -1)])
def test_nothing_is_exported_at_no_size(tmp_path, capsys, size):
    command = ["export", "omni-inr_biggan_fashion-mnist-32", tmp_path / "out.onnx", "--size", *size]
    said = refusal(command, capsys)
    assert "--size" in said and str(min(size)) in said
    assert not any(tmp_path.iterdir())


def test_weights_that_unpack_to_more_than_they_are_get_no_memory(tmp_path, capsys):
    """A million zeros, packed by deflate: torch itself never packs, so a file that does is not one of its."""
    plain, bomb = tmp_path / "plain.pth", tmp_path / "bomb.pth"
    torch.save({"weight": torch.zeros(1_000_000)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            target.writestr(member.filename, source.read(member), zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    assert "bomb.pth" in refusal(["convert", bomb, tmp_path / "out.safetensors"], capsys)
    assert "bomb.pth" in refusal(["sample", "biggan_digits-16", bomb, "--out", tmp_path / "out"], capsys)
    assert not (tmp_path / "out.safetensors").exists() and not (tmp_path / "out").exists()
