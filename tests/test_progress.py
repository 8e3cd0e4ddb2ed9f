"""Progress where no bar can be drawn: a log file gets lines with the time left, from every bar."""

import ast
from pathlib import Path

import pytest

import mmcgan
from mmcgan import progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_hears_of_long_work_now_and_then(clock, capsys):
    with progress.progress_bar("Packing", 10) as advance:
        for _ in range(10):
            clock[0] += 9
            advance()
    assert capsys.readouterr().err.splitlines() == [
        "Packing 3/10, 1.1 min left",  # seven of nine seconds
        "Packing 6/10, 36 s left",
        "Packing 9/10, 9 s left",
        "Packing 10/10, 1.5 min",
    ]


def test_what_was_done_before_does_not_shorten_the_time_left(clock, capsys):
    with progress.progress_bar("Packing", 10, done=7) as advance:
        clock[0] += 30
        advance()
    assert capsys.readouterr().err.splitlines() == ["Packing 8/10, 1.0 min left"]


@pytest.mark.parametrize("total", [0, 3])
def test_work_that_is_done_already_says_so_or_nothing(clock, capsys, total):
    with progress.progress_bar("Packing", total, done=total):
        pass
    assert "left" not in capsys.readouterr().err


def test_a_log_hears_of_a_download(clock, capsys):
    with progress.bytes_bar("Downloading a.pth") as show:
        show(40_000_000, 100_000_000)  # these were here
        for done in (50_000_000, 60_000_000, 100_000_000):
            clock[0] += 20
            show(done, 100_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "Downloading a.pth 50.0/100.0 MB, 1.7 min left",
        "Downloading a.pth 60.0/100.0 MB, 1.3 min left",
        "Downloading a.pth 100.0/100.0 MB, 1.0 min",
    ]


def test_a_download_of_unknown_length_tells_the_time_so_far(clock, capsys):
    with progress.bytes_bar("Downloading a.pth") as show:
        show(0, None)
        clock[0] += 30
        show(5_000_000, None)
    assert capsys.readouterr().err.splitlines() == ["Downloading a.pth 5.0 MB, 30 s"]


def test_other_processes_say_nothing(clock, capsys, monkeypatch):
    monkeypatch.setattr(progress, "is_main_process", lambda: False)
    with progress.progress_bar("Packing", 1) as advance, progress.bytes_bar("Downloading a.pth") as show:
        advance()
        show(1, 1)
    assert not capsys.readouterr().err


def test_nothing_else_draws_bars():
    """Bars of rich leave nothing in a log until they end; these do."""
    for path in Path(mmcgan.__file__).parent.rglob("*.py"):
        if path.name == "progress.py" and path.parent.name == "mmcgan":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith(("rich.progress", "tqdm")) for name in names), path
