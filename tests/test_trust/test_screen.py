"""A terminal is sent no orders that names on a disk or in a stranger's file hold."""

import ast
import io

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from mmcgan import text_files
from mmcgan.cli import main
from mmcgan.evaluation.report.report import print_costs
from mmcgan.peers.reading.convert import inspect_checkpoint
from mmcgan.peers.reading.report import print_conversion, print_files
from mmcgan.progress import bytes_bar, progress_bar
from mmcgan.proposal.survey import survey
from tests.test_peers.networks import generator_state

from .guard import ROOT

#: what a terminal obeys: its title, the clipboard, another line, a line anew, another direction, C1 codes
ORDERS = ("\x1b]0;owned\x07", "\x1b]52;c;b3duZWQ=\x07", "\x1b[2A", "a\rb", "\u202egnp", "\x9b2J", "\x08\x7f")
#: where a name with these is printed without being one line
BROKEN = ("\n1,000 images in /fine\n",)


def is_quiet(text):
    return text_files.on_screen(text) == text and "\x1b" not in text


@pytest.fixture(params=ORDERS + BROKEN, ids=range(len(ORDERS + BROKEN)))
def name(request):
    return request.param.replace("/", "|")


@pytest.fixture
def images(tmp_path, name):
    """Two classes of such names with images of such names, of which one cannot be read and one is alike."""
    for number, folder in enumerate((f"a{name}", f"b{name}")):
        of_class = tmp_path / f"set{name}" / folder
        of_class.mkdir(parents=True)
        for place in range(3):
            pixels = np.random.default_rng((number, place // 2)).integers(0, 255, (32, 32, 3), "u1")
            Image.fromarray(pixels).save(of_class / f"{name}{place}.png")
        (of_class / f"x{name}.png").write_bytes(b"no picture")
        (of_class / f"y{name}.heic").write_bytes(b"not read")
    return tmp_path / f"set{name}"


def test_the_survey_of_a_folder(images, name):
    lines = survey(images).lines(16)
    assert all(is_quiet(line) and "\n" not in line for line in lines)
    # all kinds of lines with names are there, and the names in them
    shown = text_files.in_one_line(name)
    for part in ("images in", "2 classes", "show what another", "cannot be read", "left out"):
        assert any(part in line and shown in line for line in lines), part


def test_the_command_preview(images, tmp_path, capsys):
    out = tmp_path / "preview.png"
    assert main(["preview", str(images), "--image-size", "16", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert is_quiet(printed.out) and is_quiet(printed.err)


def test_a_conversion(tmp_path, name, capsys):
    path = tmp_path / f"[red]{name}.pth"
    with path.open("wb") as file:
        torch.save({"G_ema": generator_state(), "G": generator_state()}, file)
    found = inspect_checkpoint(path)
    assert name in found.names["generator"] and name in found.passed_over[0]
    terminal = Console(file=io.StringIO(), soft_wrap=True, highlight=False, width=200)
    print_conversion(found, terminal)
    print_files([path], terminal)
    assert is_quiet(terminal.file.getvalue()) and "[red]" in terminal.file.getvalue()
    assert main(["convert", str(path), str(tmp_path / f"out{name}.safetensors")]) == 0
    printed = capsys.readouterr()
    assert is_quiet(printed.out) and is_quiet(printed.err)


def test_settings_of_a_report(name, capsys):
    cost = {"seconds": 1.0, "peak_extra_megabytes": 1.0}
    metric = {"type": "FID", "cost": cost, "settings": {"reference": f"[/red]{name}"}}
    print_costs({"metrics": [metric], "extractor": {"seconds": 1.0}})
    assert is_quiet(capsys.readouterr().out)


@pytest.mark.parametrize("terminal", [False, True])
def test_a_bar(name, terminal, capsys, monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", property(lambda self: terminal))
    with progress_bar(f"[/red]{name}", 1) as advance:
        advance()
    with bytes_bar(f"[/red]{name}") as show:
        show(1, 1)
    printed = capsys.readouterr().err
    assert text_files.on_screen(name).strip().partition("\n")[0][:4] in printed
    # a bar has orders of its own
    assert not any(order in printed for order in ORDERS[:3])


def test_everything_else_is_said(capsys, name):
    text_files.say(name)
    assert is_quiet(capsys.readouterr().out)


def test_nothing_is_printed_otherwise():
    """``say`` stands between names and the terminal; a program for a shell goes out as it is."""
    found = []
    for path in (ROOT / "mmcgan").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("print", "builtins.print", "pprint", "sys.stdout.write", "sys.stderr.write"):
                found.append(path.relative_to(ROOT / "mmcgan").as_posix())
    assert sorted(found) == ["commands/completion.py", "text_files.py"]
