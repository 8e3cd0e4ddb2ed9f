"""Curves of runs: what is read, what is drawn, what is refused."""

import json

import pytest
from PIL import Image

from mmcgan import scalars
from mmcgan.cli import main
from mmcgan.commands import plot_evaluations
from mmcgan.scalars import read_scalars


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


# --- what curves are called, and files of killed runs ----------------------------------------------------


def drawn(monkeypatch, *arguments):
    """Names and figures of what would be drawn."""
    found = {}
    monkeypatch.setattr(scalars, "draw_curves", lambda runs, keys, out, log_scale: found.update(runs))
    assert main(["plot", *map(str, arguments)]) == 0
    return {name: series["fid"][1] for name, series in found.items()}


def run(folder, fid):
    log(folder, "start", [{"fid": fid, "step": 1}])
    return folder


def test_folders_of_one_name_are_told_apart(tmp_path, monkeypatch):
    first, second = run(tmp_path / "a" / "run", 1.0), run(tmp_path / "b" / "run", 2.0)
    third = run(tmp_path / "b" / "other", 3.0)
    assert drawn(monkeypatch, first, second) == {"a/run": 1.0, "b/run": 2.0}
    assert drawn(monkeypatch, first, f"mine={second}", third) == {"run": 1.0, "mine": 2.0, "other": 3.0}


def test_an_equals_sign_in_a_folder_is_no_label(tmp_path, monkeypatch):
    run(tmp_path / "lr=0.1", 1.0)
    run(tmp_path / "lr=0.2", 2.0)
    monkeypatch.chdir(tmp_path)
    assert drawn(monkeypatch, "lr=0.1", "lr=0.2") == {"lr=0.1": 1.0, "lr=0.2": 2.0}
    assert drawn(monkeypatch, "low=lr=0.1", f"high={tmp_path / 'lr=0.2'}") == {"low": 1.0, "high": 2.0}


def test_names_and_folders_only_once(tmp_path, capsys):
    first, second = run(tmp_path / "a", 1.0), run(tmp_path / "b", 2.0)
    assert main(["plot", f"x={first}", f"x={second}"]) == 2
    assert "'x' is the name of" in capsys.readouterr().err
    assert main(["plot", str(first), str(first)]) == 2
    assert "is given twice" in capsys.readouterr().err


def test_half_a_line_of_a_killed_run_is_left_out(tmp_path, capsys):
    log(tmp_path, "20260101", [{"fid": 9.0, "step": 1}])
    log(tmp_path, "20260102", [{"fid": 7.0, "step": 2}])
    broken = tmp_path / "20260101" / "vis_data" / "scalars.json"
    for half in ('{"fid": 8.', '{"fid": 8.0}', "\0\0\0\0", '{"fid": "\xe9'):
        broken.write_text('{"fid": 9.0, "step": 1}\n' + half)
        assert read_scalars(tmp_path)["fid"] == {1: 9.0, 2: 7.0}
        assert str(broken) in capsys.readouterr().err


def test_damage_elsewhere_names_file_and_line(tmp_path, capsys):
    log(tmp_path, "20260101", [{"fid": 9.0, "step": 1}])
    broken = tmp_path / "20260101" / "vis_data" / "scalars.json"
    broken.write_text('{"fid": 9.\n{"fid": 9.0, "step": 1}\n')
    assert main(["plot", str(tmp_path)]) == 2
    assert f"{broken}, line 1: not logged figures" in capsys.readouterr().err


@pytest.mark.parametrize(("suffix", "start"), [(".pdf", b"%PDF"), (".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_picture_is_what_its_name_says(tmp_path, suffix, start):
    run(tmp_path / "run", 1.0)
    out = tmp_path / f"curves{suffix}"
    assert main(["plot", str(tmp_path / "run"), "--out", str(out)]) == 0
    assert out.read_bytes().startswith(start)


def test_other_pictures_and_places_are_refused_first(tmp_path, capsys):
    places = {
        "x.jpg": "*.png or *.pdf or *.svg",
        str(tmp_path): "named",
        "/dev/null/x.png": "be written",
    }
    for out, message in places.items():
        assert main(["plot", str(tmp_path / "no run"), "--out", out]) == 2
        assert message in capsys.readouterr().err


def report(path, config, fid):
    entry = {"truncation": None, "summary": {"fid": {"mean": fid, "std": 0.0, "runs": 1}}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"config": config, "sweep": [entry]}))
    return str(path)


def test_reports_of_one_config_are_all_drawn(tmp_path):
    a, b = report(tmp_path / "a" / "r.json", "gan", 1.0), report(tmp_path / "b" / "r.json", "gan", 2.0)
    c = report(tmp_path / "c.json", "other", 3.0)
    found = plot_evaluations.read_reports([a, b, c])
    assert list(found) == ["gan (a/r.json)", "gan (b/r.json)", "other"]
    assert list(plot_evaluations.read_reports([f"x={a}", b])) == ["x", "gan"]
    assert [sweep[0]["summary"]["fid"]["mean"] for sweep in found.values()] == [1.0, 2.0, 3.0]
