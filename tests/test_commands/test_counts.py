"""Commands that read a folder of images say how many they found, read and left out, and why."""

import shutil

import numpy as np
import pytest
from PIL import Image

from mmcgan.cli import main


@pytest.fixture
def images(tmp_path):
    """Six images, one of them linked to from another name, notes and a hidden file."""
    folder = tmp_path / "images"
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for index in range(3):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    (folder / "a" / "notes.txt").write_text("mine")
    (folder / "a" / ".hidden.png").write_text("no image")
    (folder / "a" / "again.png").symlink_to("0.png")
    return folder


LINE = "images: 6 found, 6 read, 1 left out; other files: 1 .txt"


def says(capsys, *arguments):
    assert main(list(map(str, arguments))) == 0
    return capsys.readouterr().out


def test_every_report_names_them(images, tmp_path, capsys):
    packed = says(capsys, "pack-dataset", images, tmp_path / "packed", "--image-size", 16)
    store = says(
        capsys,
        *("prepare-instances", "--images", images, "--extractor", "digits-16", "--out", tmp_path / "store"),
        *("--k", 2, "--kmeans", 0, "--image-size", 16),
    )
    for shown in (packed, store):
        assert LINE in shown
        assert "again.png" in shown.split("left out: ")[1]


def test_evaluate_folders_names_those_of_both_sides(images, tmp_path, capsys):
    shutil.copytree(images, tmp_path / "other", symlinks=True)
    shown = says(capsys, "evaluate-folders", images, tmp_path / "other", "--extractor", "digits-16")
    for side in ("real", "fake"):
        assert LINE.replace("images", f"images ({side})", 1) in shown


def test_reference_stats_names_them(images, tmp_path, capsys):
    source = f"test_evaluator.reference.dataset={{'type':'ImageFolder','root':'{images}','image_size':16}}"
    out = tmp_path / "statistics.safetensors"
    shown = says(capsys, "reference-stats", "biggan_digits-16", "--out", out, "--cfg-options", source)
    assert LINE in shown


def test_an_image_that_cannot_be_read_is_counted(images, tmp_path, capsys):
    (images / "b" / "0.png").write_bytes(b"torn")
    shown = says(capsys, "pack-dataset", images, tmp_path / "packed", "--image-size", 16, "--skip-bad")
    assert "images: 6 found, 5 read, 2 left out" in shown
    assert "b/0.png" in shown
