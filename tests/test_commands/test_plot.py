"""Curves of runs: what is read, what is drawn, what is refused."""

import json

from PIL import Image

from mmcgan.cli import main
from mmcgan.commands.plot import read_scalars


def log(folder, start, records):
    """Write one start's scalars as the visualiser does."""
    path = folder / start / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_a_later_start_overrides_the_iterations_it_repeats(tmp_path):
    log(tmp_path, "20260101_000000", [{"fid": 9.0, "step": 1}, {"fid": 8.0, "step": 2}])
    log(tmp_path, "20260102_000000", [{"fid": 7.0, "step": 2}, {"fid": 6.0, "step": 3}])
    assert read_scalars(tmp_path)["fid"] == {1: 9.0, 2: 7.0, 3: 6.0}


def test_a_panel_per_key_is_written(tmp_path, capsys):
    for name in ("a", "b"):
        log(tmp_path / name, "run", [{"fid": 2.0, "loss": 1.0, "step": i} for i in range(3)])
    out = tmp_path / "curves.png"
    runs = [f"first={tmp_path / 'a'}", str(tmp_path / "b")]
    assert main(["plot", *runs, "--keys", "fid", "loss", "--out", str(out)]) == 0
    assert Image.open(out).width == 2 * 5 * 120
    assert str(out) in capsys.readouterr().out


def test_unknown_keys_and_empty_folders_are_named(tmp_path, capsys):
    assert main(["plot", str(tmp_path)]) == 2
    assert "no logged figures in" in capsys.readouterr().err
    log(tmp_path, "run", [{"fid": 2.0, "step": 1}])
    assert main(["plot", str(tmp_path), "--keys", "fids"]) == 2
    assert "has not logged 'fids'. Did you mean 'fid'" in capsys.readouterr().err
