"""What pages show and what takes seconds is run, word for word."""

import json
from pathlib import Path

import pytest

from mmcgan.cli import main
from tests.test_cli.documented import shown_commands

#: what stands for somebody's own files
STAND_INS = {"MODEL": "omnigan_biggan_digits-16", "FOLDER": "folder", "DIR": "samples"}
#: the beginning of a shown command -> a file or folder that it makes, if any
RUN = {
    "mmcgan list": None,
    "mmcgan doctor": None,
    "mmcgan sample omnigan-long_biggan_fashion-mnist-32 --labels 3 5 --num 16": "samples/00015_5-Sandal.png",
    "mmcgan sample omnigan-multi-label_biggan_two-domain-digits-16 --attributes": "samples",
    "mmcgan sample spade-omni-long_scenes-64 --num 8": "samples",
    "mmcgan sample MODEL --labels 3 5 --num 64 --truncation 0.8": "samples.grid.png",
    "mmcgan interpolate MODEL --method linear --out way.gif": "way.gif",
    "mmcgan convert biggan_fashion-mnist-32 FOLDER --to mmagic": "folder/settings.json",
    "mmcgan plot work_dirs/RUN --keys": None,
}
SHOWN = shown_commands()


def with_a_run(folder, *keys):
    """Write the log of a run that recorded ``keys``."""
    place = folder / "work_dirs" / "RUN" / "20260101_000000" / "vis_data"
    place.mkdir(parents=True)
    lines = [json.dumps({**dict.fromkeys(keys, 0.1 * step), "step": step}) for step in range(1, 5)]
    (place / "scalars.json").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("start", RUN)
def test_a_shown_command_does_what_the_page_says(start, tmp_path, monkeypatch, capsys):
    found = [shown for shown in SHOWN if (shown.text + " ").startswith(start)]
    assert found, f"no page shows {start!r} any more"
    words = [STAND_INS.get(word, word) for word in found[0].words]
    monkeypatch.chdir(tmp_path)
    if words[0] == "plot":
        with_a_run(tmp_path, *words[words.index("--keys") + 1 :])
    assert main(words) == 0, capsys.readouterr().err
    assert RUN[start] is None or Path(RUN[start]).exists(), sorted(Path().rglob("*"))
