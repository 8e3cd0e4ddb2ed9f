"""Two commands that write one file or folder at once: the second is told who the first is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmcgan import locks
from mmcgan.cli import COMMANDS, command_parser, main
from mmcgan.locks import InUseError, held_output
from tests.test_trust.guard import ROOT

HOLD = """
import sys, time
from pathlib import Path
from mmcgan.locks import held_output
with held_output(Path(sys.argv[1]), "--out"):
    print("held", flush=True)
    sys.stdin.read()
"""
#: what commands want beside the output, so far that they ask for it
GIVEN = {
    "sample": ["biggan_digits-16"],
    "interpolate": ["biggan_digits-16"],
    "sefa": ["biggan_digits-16"],
    "restore": ["--task", "reconstruct", "--model", "biggan_digits-16", "a.png"],
    "export-weights": ["iter_1.pth"],
    "export": ["biggan_digits-16"],
    "convert": ["weights.pth"],
    "push-to-hub": ["biggan_digits-16", "user/name"],
    "pack-dataset": ["images", "--image-size", "16"],
    "preview": ["images"],
    "new": ["images"],
    "prepare-instances": ["--images", "images", "--extractor", "digits-16"],
    "train-ssl-extractor": ["--images", "images"],
    "coco-stuff-split": ["--annotations", "images"],
    "plot": ["run"],
    "compare": ["run"],
    "film": ["run"],
    "report": ["run"],
    "plot-evaluations": ["report.json"],
    "test": ["biggan_digits-16"],
    "train-classifier": ["biggan_digits-16"],
    "train-segmenter": ["spade-omni_scenes-64"],
    "reference-stats": ["biggan_digits-16"],
    "evaluate-folders": ["images", "images", "--extractor", "digits-16"],
    "claims": ["run"],
}


def outputs():
    """Yield every command's arguments that name what it writes."""
    for command in COMMANDS:
        parser = command_parser(command)
        for name, output in (parser.get_default("outputs") or {}).items():
            action = next(action for action in parser._actions if action.dest == name)
            yield command, output, action.option_strings[:1]


#: commands that keep others away from a folder only while they do one of several things
THEMSELVES = {"claims"}
SHARED = [found for found in outputs() if not found[1].locks_itself or found[0] in THEMSELVES]


@pytest.fixture
def holder(request):
    """Start processes that hold an output until the test ends."""
    started = []

    def hold(path):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        assert process.stdout.readline().strip() == "held"
        return process

    yield hold
    for process in started:
        process.kill()
        process.wait()


def test_every_command_that_writes_is_tried():
    assert {command for command, *_ in SHARED} == set(GIVEN)


def test_the_second_of_two_is_refused_whatever_the_command(tmp_path, holder, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "new" / "folder"
    process = None
    for command, output, option in SHARED:
        name = f"made{output.suffixes[0] if output.suffixes else ''}"
        process = holder(place / name) if process is None else process
        if name != "made" and not (place / f".{name}.lock").exists():
            holder(place / name)
        if output.may_be_read:
            continue  # both compute the same
        status = main([command, *GIVEN[command], *option, str(place / name)])
        said = capsys.readouterr().err
        assert status == 2, f"{command} {output.what}: {said}"
        assert "is in use by process" in said, f"{command} {output.what}: {said}"
        assert f"choose another {output.what}" in said


def test_nothing_is_left_of_a_lock(tmp_path, holder):
    with held_output(tmp_path / "a" / "b" / "film.gif", "--out"):
        assert (tmp_path / "a" / "b").is_dir()
        with held_output(tmp_path / "a" / "b" / "film.gif", "--out"):  # of the same process
            pass
        assert list((tmp_path / "a" / "b").iterdir())
    assert list(tmp_path.iterdir()) == []
    assert not locks._held
    with held_output(tmp_path / "a" / "film.gif", "--out"):
        (tmp_path / "a" / "film.gif").write_bytes(b"GIF")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["film.gif"]


def test_a_killed_command_keeps_nobody_out(tmp_path, holder):
    process = holder(tmp_path / "film.gif")
    with (
        pytest.raises(InUseError, match=f"process {process.pid} "),
        held_output(tmp_path / "film.gif", "--out"),
    ):
        pass
    process.kill()
    process.wait()
    with held_output(tmp_path / "film.gif", "--out"):
        pass


def test_other_ranks_of_a_job_share_the_output(tmp_path, holder, monkeypatch):
    holder(tmp_path / "figures.json")
    monkeypatch.setenv("RANK", "1")
    with held_output(tmp_path / "figures.json", "--json"):
        pass


def test_an_output_is_one_whatever_leads_to_it(tmp_path, holder):
    (tmp_path / "there").mkdir()
    os.symlink(tmp_path / "there", tmp_path / "link")
    holder(tmp_path / "there" / "film.gif")
    for way in ("link/film.gif", "there/../link/film.gif"):
        with pytest.raises(InUseError), held_output(tmp_path / way, "--out"):
            pass
    assert Path(tmp_path / "there" / ".film.gif.lock").exists()
