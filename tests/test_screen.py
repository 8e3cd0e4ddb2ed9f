"""No trouble with the screen, a reader who leaves above all, ends or loses what is being worked on."""

import ast
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import mmcgan
from mmcgan.apis.check import CheckResult, print_results
from mmcgan.cli import main
from mmcgan.evaluation.report.report import print_costs, print_failures, print_table
from mmcgan.peers.reading.report import print_files
from mmcgan.progress import bytes_bar, progress_bar, training_bar
from mmcgan.screen import WIDTH, Console
from mmcgan.text_files import reader_gone, say

PACKAGE = Path(mmcgan.__file__).parent
REPORT = {
    "metrics": [
        {"type": "FID", "error": "no", "settings": {}, "cost": {"seconds": 1, "peak_extra_megabytes": 1}}
    ],
    "extractor": {"seconds": 1.0},
}
FIGURES = {"one": {"FID": {"mean": 1.0, "std": 0.1, "runs": 2}}}


def _bar():
    with progress_bar("features", 1) as advance:
        advance()


def _bytes():
    with bytes_bar("a file") as show:
        show(1, 1)


def _training():
    with training_bar() as show:
        show(1, 1, 0.5)


#: everything that writes to the screen
WRITERS = {
    "a line": lambda: say("a line", flush=True),
    "many lines": lambda: say("many lines\n" * 10_000),
    "a line of trouble": lambda: say("trouble", to=sys.stderr),
    "a bar": _bar,
    "a bar of bytes": _bytes,
    "a bar of a training": _training,
    "a table": lambda: print_table("title", FIGURES),
    "costs": lambda: print_costs(REPORT),
    "failures": lambda: print_failures([REPORT]),
    "files": lambda: print_files([Path(__file__)]),
    "checks": lambda: print_results([CheckResult("name", "", 1.0)]),
}


def pipe_without_reader():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def terminal_that_was_closed():
    master, terminal = pty.openpty()
    os.close(master)
    return terminal


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("end", [pipe_without_reader, terminal_that_was_closed])
@pytest.mark.parametrize("name", WRITERS)
def test_a_reader_who_leaves_ends_nothing(name, end, buffered, monkeypatch):
    with open(end(), "w", encoding="utf-8") as stream:
        stream.reconfigure(write_through=not buffered)
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("sys.stderr", stream)
        for _ in range(3):  # and nothing of it is left to end the next
            WRITERS[name]()
        monkeypatch.undo()
        assert reader_gone(stream)
        assert not reader_gone(stream), "what is left goes nowhere"


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
@pytest.mark.parametrize("name", WRITERS)
def test_letters_that_a_screen_lacks_end_nothing(name, encoding, tmp_path, monkeypatch):
    with (tmp_path / "out").open("w", encoding=encoding) as stream:
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("sys.stderr", stream)
        WRITERS[name]()
        say("名 ↓")
        Console().print("↑")
    shown = (tmp_path / "out").read_text(encoding=encoding)
    assert "\\u540d \\u2193" in shown and "\\u2191" in shown


def test_other_trouble_with_a_stream_is_told(monkeypatch):
    """A disk that is full, say: a file was asked for."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(OSError, match="space"), open("/dev/full", "w", encoding="utf-8") as stream:
        say("a line", to=stream, flush=True)


@pytest.mark.parametrize("columns", ["0", "00", "40", "none"])
def test_a_table_has_a_width(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    print_table("title", FIGURES)
    assert "FID" in capsys.readouterr().out
    assert Console().width == (40 if columns == "40" else WIDTH)


def test_there_is_one_console():
    """Rich's own ends the program when its reader leaves: nobody else takes it, by whatever way."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            )
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name}" for name in names]
            own = ("rich", "rich.print", "rich.get_console", "rich.print_json", "rich.inspect")
            if any(name in own or f"{name}.".startswith("rich.console.") for name in names):
                found.append(path.relative_to(PACKAGE).as_posix())
    assert found == ["screen.py"]


def test_a_command_whose_reader_leaves_does_its_work(tmp_path):
    command = [sys.executable, "-m", "mmcgan", "sample", "omnigan_biggan_digits-16", "--num", "5"]
    end = pipe_without_reader()
    done = subprocess.run([*command, "--out", str(tmp_path / "whole")], stdout=end, stderr=end)
    os.close(end)
    assert done.returncode == 141
    assert main([*command[3:], "--out", str(tmp_path / "heard")]) == 0

    def written(name):
        return sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*"))

    assert written("whole") == written("heard")
