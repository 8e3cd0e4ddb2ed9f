"""Runs on one page, and a run's samples as a film."""

import json
import math
import re

import numpy as np
import pytest
from PIL import Image

from mmcgan.claims.page import spread
from mmcgan.cli import main
from mmcgan.comparison.runs import differing, groups_of, read_run
from mmcgan.evaluation.report.report import summarize
from mmcgan.films import write_film
from mmcgan.scalars import mean_and_deviation


def make_run(folder, fid=2.0, seed=0, **settings):
    log = folder / "20260101" / "vis_data" / "scalars.json"
    log.parent.mkdir(parents=True)
    lines = [
        {"fid": fid + 1, "recall": 0.1, "d_loss": 3, "lr": 0.1, "step": 1},
        {"fid": fid, "recall": 0.3, "step": 2},
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = dict(
        randomness=dict(seed=seed), model=dict(a=1, parts=[dict(b=2)]), work_dir=str(folder), **settings
    )
    (folder / "config.py").write_text("".join(f"{key} = {value!r}\n" for key, value in config.items()))
    return folder


def test_what_differs_is_shown_and_what_says_where_is_not(tmp_path):
    one = read_run(
        "one", make_run(tmp_path / "a", val_size=5, test_dataloader=dict(n=5), val_dataloader=dict(n=5))
    )
    two = read_run(
        "two",
        make_run(tmp_path / "b", extra=None, _help=3, test_dataloader=dict(n=6), val_dataloader=dict(n=6)),
    )
    assert differing([one, two]) == {"val_size": [5, "-"], "extra": ["-", None], "val_dataloader.n": [5, 6]}


def test_runs_that_differ_in_the_seed_are_one_row_with_a_deviation(tmp_path, capsys):
    folders = [make_run(tmp_path / f"s{seed}", fid=2.0 + seed, seed=seed) for seed in range(3)]
    other = make_run(tmp_path / "other", fid=9.0, width=4)
    out = tmp_path / "page.html"
    assert main(["compare", *map(str, folders), f"wide={other}", "--num", "0", "--out", str(out)]) == 0
    page = out.read_text()
    assert "<td>s0</td><td>3</td><td>3 ± 1</td>" in page
    assert "<td>wide</td><td>1</td><td>9</td>" in page
    assert "d_loss" not in page and "<th>lr</th>" not in page
    assert page.count("data:image/svg+xml;base64,") == 2, "a curve for fid and one for recall"
    assert not re.search(r"(src|href)=\"(?!data:)", page), "nothing is fetched"
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize("last", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_none_has_no_deviation(last, tmp_path):
    folders = [make_run(tmp_path / f"s{seed}", fid=fid, seed=seed) for seed, fid in enumerate((2.0, last))]
    out = tmp_path / "page.html"
    assert main(["compare", *map(str, folders), "--num", "0", "--out", str(out)]) == 0
    assert f"<td>s0</td><td>2</td><td>{last:.4g} ± nan</td>" in out.read_text()


@pytest.mark.parametrize(
    ("values", "mean", "deviation"),
    [
        ([5], 5.0, 0.0),
        ([1, 3], 2.0, math.sqrt(2)),
        ([1e308] * 3, 1e308, 0.0),
        ([1.7e308, -1.7e308], 0.0, math.inf),
        ([math.nan], math.nan, math.nan),
        ([math.inf, 1.0], math.inf, math.nan),
        ([math.inf, -math.inf], math.nan, math.nan),
    ],
)
def test_means_and_deviations_of_any_figures(values, mean, deviation):
    assert mean_and_deviation(values) == pytest.approx((mean, deviation), nan_ok=True)
    found = summarize([{"fid": value} for value in values])["fid"]
    assert (found["mean"], found["std"]) == pytest.approx((mean, deviation), nan_ok=True)
    assert "±" in spread(values) or len(values) == 1


def test_names_of_runs_are_text_and_not_markup(tmp_path):
    folder = make_run(tmp_path / "a", note="<script>alert(1)</script>")
    other = make_run(tmp_path / "b")
    out = tmp_path / "page.html"
    assert main(["compare", f"<b>={folder}", str(other), "--num", "0", "--out", str(out)]) == 0
    assert "<script>" not in out.read_text() and "<b>" not in out.read_text()


def test_samples_are_of_the_newest_checkpoint_or_it_is_said_why_not(tmp_path):
    folder, out = make_run(tmp_path / "a"), tmp_path / "page.html"
    main(["compare", str(folder), "--out", str(out)])
    assert "a, no checkpoint: no checkpoint" in out.read_text()
    (folder / "iter_2.pth").write_bytes(b"no checkpoint")
    main(["compare", str(folder), "--out", str(out)])
    assert "iter_2.pth" in out.read_text()


@pytest.mark.parametrize("text", ["import os", "a = open('x')", "a = [", "a = " + "[" * 5000])
def test_a_config_is_data(tmp_path, text, capsys):
    folder = make_run(tmp_path / "a")
    (folder / "config.py").write_text(text)
    assert main(["compare", str(folder), "--out", str(tmp_path / "page.html")]) == 2
    assert "config.py" in capsys.readouterr().err


def test_what_is_no_run_is_named(tmp_path, capsys):
    folder = make_run(tmp_path / "a")
    (folder / "config.py").unlink()
    for arguments, text in (
        ([str(folder)], "has no config"),
        ([str(tmp_path)], "no logged figures"),
        ([str(folder), "--num", "-1"], "--num must be at least 0"),
        ([str(folder), "--out", "x.png"], ".html"),
    ):
        assert main(["compare", *arguments]) == 2
        assert text in capsys.readouterr().err


def make_grids(folder, sizes):
    (folder / "samples").mkdir(parents=True)
    for number, size in enumerate(sizes):
        image = np.full((size, size, 3), 10 * number, np.uint8)
        Image.fromarray(image).save(folder / "samples" / f"iter_{number:07d}.png")
    return folder


def test_a_film_has_a_picture_per_grid_in_order(tmp_path, capsys):
    folder, out = make_grids(tmp_path / "run", [20, 20, 20]), tmp_path / "film.gif"
    assert main(["film", str(folder), "--out", str(out)]) == 0
    film = Image.open(out)
    levels = []
    for frame in range(film.n_frames):
        film.seek(frame)
        levels.append(film.convert("RGB").getpixel((3, 3))[0])
    assert levels[:3] == sorted(levels[:3]) and levels[0] < levels[2]
    assert main(["film", str(folder), "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize("time", [0, 9, 60_001])
def test_a_time_that_a_film_cannot_hold_is_refused(time, tmp_path, capsys):
    folder, out = make_grids(tmp_path / "run", [20, 20]), tmp_path / "film.gif"
    assert main(["film", str(folder), "--out", str(out), "--milliseconds", str(time)]) == 2
    assert "--milliseconds" in capsys.readouterr().err and not out.exists()
    assert main(["film", str(folder), "--out", str(out), "--milliseconds", "60000"]) == 0


def test_equal_pictures_that_are_shown_too_long_together_are_refused_in_words(tmp_path):
    equal = [np.zeros((4, 4, 3), np.uint8)] * 12
    with pytest.raises(ValueError, match="no picture for more than 655 s"):
        write_film(equal, tmp_path / "film.gif", 60_000)
    assert not (tmp_path / "film.gif").exists()


def test_grids_that_are_missing_or_of_several_sizes_are_named(tmp_path, capsys):
    for folder, text in (
        (make_grids(tmp_path / "two", [20, 24]), "iter_0000001.png is not of the size"),
        (make_grids(tmp_path / "none", []), "no sample grids"),
    ):
        assert main(["film", str(folder), "--out", str(tmp_path / "film.gif")]) == 2
        assert text in capsys.readouterr().err
    assert not (tmp_path / "film.gif").exists()


def test_groups_are_called_after_their_first(tmp_path):
    runs = [read_run(f"r{seed}", make_run(tmp_path / str(seed), seed=seed)) for seed in range(2)]
    (group,) = groups_of(runs)
    assert group.name == "r0" and group.runs == tuple(runs)
