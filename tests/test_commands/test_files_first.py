"""What a command writes is on the disk before it says anything: no trouble with the screen loses it."""

import numpy as np
import pytest
from PIL import Image

from mmcgan import text_files
from mmcgan.cli import main
from mmcgan.evaluation.report import pictures, report

MODEL = ["test", "omnigan_biggan_digits-16", "--num", "64"]


class ScreenError(Exception):
    """Of a screen that takes nothing."""


@pytest.fixture
def folders(tmp_path):
    for place, name in enumerate(("real", "fake")):
        (tmp_path / name).mkdir()
        for number in range(8):
            pixels = np.random.default_rng((place, number)).integers(0, 255, (32, 32, 3), "u1")
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return [str(tmp_path / "real"), str(tmp_path / "fake")]


def fail(monkeypatch):
    def fails(*arguments, **options):
        raise ScreenError

    monkeypatch.setenv("MMCGAN_DEBUG", "1")  # whoever is said to be at fault, the error is seen
    monkeypatch.setattr(report, "print_table", fails)
    for module in ("evaluate", "evaluate_folders"):
        monkeypatch.setattr(f"mmcgan.commands.{module}.say", fails)


def test_an_evaluation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fail(monkeypatch)
    with pytest.raises(ScreenError):
        main([*MODEL, "--truncations", "none", "0.5", "--json", "o.json", "--picture", "o.png"])
    assert text_files.read_json(tmp_path / "o.json", "a report")["metrics"]
    assert Image.open(tmp_path / "o.png").size


def test_an_evaluation_whose_picture_fails_has_its_tables(tmp_path, monkeypatch, capsys):
    def fails(*arguments):
        raise ValueError("no picture")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pictures, "draw_evaluations", fails)
    assert main([*MODEL, "--json", "o.json", "--picture", "o.png"]) == 2
    printed = capsys.readouterr()
    assert (
        "row for model-zoo.md" in printed.out
        and "no picture" in printed.err
        and (tmp_path / "o.json").is_file()
    )


def test_folders(folders, tmp_path, monkeypatch):
    fail(monkeypatch)
    out = tmp_path / "o.json"
    settings = ["--extractor", "digits-16", "--metrics", "fid", "--json", str(out)]
    with pytest.raises(ScreenError):
        main(["evaluate-folders", *folders, *settings])
    assert text_files.read_json(out, "a report")["figures"]
