"""The page of a run: written at its end, of killed and resumed ones too, and never at the cost of the run."""

import json
import re
import signal

import numpy as np
import pytest
from mmengine.hooks import Hook
from PIL import Image

from mmcgan.apis.training import train
from mmcgan.cli import main
from mmcgan.comparison import hook as report_hook
from mmcgan.comparison.film import BYTES, FRAMES, page_film, still
from mmcgan.comparison.report import REPORT, read_report, report_page, write_report
from mmcgan.config import load_config
from mmcgan.registry import HOOKS
from tests.test_comparison.test_compare import make_grids, make_run
from tests.test_engine.tiny_run import EVALUATION, tiny_config

HOOKED = dict(
    report=dict(type="ReportHook"),
    sample_grid=dict(type="SampleGridHook", interval=2, rows=1, columns=2),
)
FETCHED = re.compile(r"(src|href)=\"(?!data:|#)|url\(|@import|<script|<link")


@HOOKS.register_module(force=True)
class StopAt(Hook):
    """Asks the run to stop, or kills what it has written, at an iteration."""

    changes_training = False

    def __init__(self, iteration, error=None):
        self.iteration, self.error = iteration, error

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration and self.error:
            raise KeyboardInterrupt
        if runner.iter + 1 == self.iteration:
            signal.raise_signal(signal.SIGTERM)


def run_of(folder, resume=False, **changes):
    train(tiny_config(folder, default_hooks=HOOKED, **changes), resume=resume)
    return (folder / REPORT).read_text() if (folder / REPORT).is_file() else None


def test_a_run_ends_with_a_page_that_needs_nothing_else(tmp_path):
    page = run_of(tmp_path, **EVALUATION)
    assert not FETCHED.search(page)
    assert "finished, 6 of 6 iterations" in page
    assert "image/webp" in page and "image/svg+xml" in page
    assert "level_error" in page and "DCGANGenerator" in page
    assert "real images seen" in page and ">48<" in page, "6 iterations of 8 images"
    assert "torch" in page and "precision of the generator" in page
    assert not [*tmp_path.glob("*.tmp*")]


def test_a_run_without_evaluation_or_pictures_has_a_page(tmp_path):
    hooks = dict(report=dict(type="ReportHook"))
    train(tiny_config(tmp_path, default_hooks=hooks))
    page = (tmp_path / REPORT).read_text()
    assert "Nothing was evaluated" in page and "None were drawn" in page and "finished" in page


def test_counts_are_those_of_the_evaluation_and_not_of_the_config(tmp_path):
    folder = make_run(tmp_path / "run", val_dataloader=dict(dataset=dict(size=10)))
    assert "10 generated images, by the config" in report_page(read_report(folder))
    kept = dict(
        iteration=2,
        generated_images=5000,
        reference=dict(dataset="Digits", split="train", count=1438),
        extractor=dict(name="small", weights_sha256="abc", resize="bilinear"),
        conditions=dict(labels="balanced"),
        metrics=[dict(type="FID", settings=dict(ddof=1))],
    )
    (folder / "20260101" / "evaluation.json").write_text(json.dumps(kept))
    page = report_page(read_report(folder))
    assert "5,000" in page and "1,438 of Digits train" in page and "ddof=1" in page
    assert "by the config" not in page


def test_stopped_killed_and_resumed_starts_are_told_apart(tmp_path):
    page = run_of(tmp_path, custom_hooks=[dict(type="StopAt", iteration=2)])
    assert "stopped on SIGTERM after 2 of 6 iterations" in page
    with pytest.raises(KeyboardInterrupt):
        run_of(tmp_path, resume=True, custom_hooks=[dict(type="StopAt", iteration=4, error=True)])
    assert main(["report", str(tmp_path)]) == 0
    page = (tmp_path / REPORT).read_text()
    assert "running, or killed, at or after 4 of 6 iterations" in page or "at or after 3 of 6" in page
    page = run_of(tmp_path, resume=True)
    assert "finished, 6 of 6 iterations" in page
    assert len(read_report(tmp_path).starts) == 3
    assert "<td>SIGTERM</td>" in page and "not by itself: running, or killed" in page


def test_a_page_that_fails_is_a_line_in_the_log(tmp_path, monkeypatch):
    def broken(folder):
        raise RuntimeError("no page today")

    monkeypatch.setattr(report_hook, "write_report", broken)
    monkeypatch.setattr(report_hook, "environment", broken)
    assert run_of(tmp_path) is None
    assert (tmp_path / "iter_6.pth").is_file()
    log = next(tmp_path.rglob("*.log")).read_text()
    assert "report.html was not written (RuntimeError: no page today)" in log


def test_it_can_be_switched_off_and_changes_nothing_that_is_learnt(tmp_path):
    config = load_config("biggan_digits-16")
    assert config.default_hooks.report.type == "ReportHook"
    off = load_config("biggan_digits-16", {"default_hooks.report": None})
    assert off.default_hooks.report is None
    train(tiny_config(tmp_path, default_hooks=dict(report=None)))
    assert not (tmp_path / REPORT).exists()
    assert not HOOKS.get("ReportHook").changes_training


def test_the_page_stays_small(tmp_path):
    folder = tmp_path / "run" / "samples"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0)
    for number in range(FRAMES + 3):
        picture = noise.integers(0, 256, (90, 1500, 3), np.uint8)
        Image.fromarray(picture).save(folder / f"iter_{number:07d}.png")
    files = sorted(folder.glob("*.png"))
    film, shown = page_film(files)
    assert len(film) <= BYTES and len(shown) == FRAMES
    assert shown[0] == files[0] and shown[-1] == files[-1]
    assert len(still(files[-1])) <= BYTES // 2


def test_grids_of_another_size_are_left_out_of_the_film(tmp_path):
    folder = make_grids(tmp_path, [20, 24, 24])
    _, shown = page_film(sorted((folder / "samples").glob("*.png")))
    assert [file.stem for file in shown] == ["iter_0000001", "iter_0000002"]


def test_what_a_folder_says_is_text_and_not_markup(tmp_path):
    folder = make_run(tmp_path / "<b>run", note="<script>alert(1)</script>")
    page = write_report(folder).read_text()
    assert "<script" not in page and "<b>run" not in page


def test_several_runs_have_a_page_each(tmp_path, capsys):
    folders = [make_run(tmp_path / name) for name in "ab"]
    assert main(["report", *map(str, folders)]) == 0
    assert all((folder / REPORT).is_file() for folder in folders)
    assert main(["report", *map(str, folders), "--out", str(tmp_path / "one.html")]) == 2
    assert "mmcgan compare" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [("start.json", "{"), ("start.json", "{}"), ("evaluation.json", "[]"), ("evaluation.json", '{"a": 1}')],
)
def test_damaged_records_are_named(tmp_path, capsys, name, content):
    folder = make_run(tmp_path / "run")
    (folder / "20260101" / name).write_text(content)
    assert main(["report", str(folder)]) == 2
    assert name in capsys.readouterr().err
    assert not (folder / REPORT).exists()


def test_what_is_no_run_is_named(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "not a run's work folder" in capsys.readouterr().err
