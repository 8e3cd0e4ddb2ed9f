"""Which files a command replaces without being asked: those that it made, from what is kept elsewhere."""

import json

import pytest

from mmcgan.cli import main
from tests.test_comparison.test_compare import make_run

ENTRY = dict(truncation=0.5, latent_scale=None, summary=dict(fid=dict(mean=1.0, std=0.1)))
REPORT = dict(config="x", checkpoint="a.pth", checkpoint_sha256="0", sweep=[ENTRY])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with two runs and a report of an evaluation."""
    for name in ("a", "b"):
        make_run(tmp_path / name)
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


#: what makes a file, and what it is called
MAKERS = {
    "compare": (["compare", "a", "b", "--num", "0"], ".html"),
    "report": (["report", "a"], ".html"),
    "plot": (["plot", "a"], ".png"),
    "plot pdf": (["plot", "a"], ".pdf"),
    "plot svg": (["plot", "a"], ".svg"),
    "plot-evaluations": (["plot-evaluations", "report.json"], ".png"),
    "plot-evaluations pdf": (["plot-evaluations", "report.json"], ".pdf"),
    "plot-evaluations svg": (["plot-evaluations", "report.json"], ".svg"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_what_a_command_made_is_made_anew_and_nothing_else_is_replaced(name, place, capsys):
    command, suffix = MAKERS[name]
    out = place / f"out{suffix}"
    assert main([*command, "--out", out.name]) == 0
    made = out.read_bytes()
    assert main([*command, "--out", out.name]) == 0
    out.write_text("mine")
    capsys.readouterr()
    assert main([*command, "--out", out.name]) == 2
    assert f"{out.name} exists; choose another --out or give --overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*command, "--out", out.name, "--overwrite"]) == 0
    assert len(out.read_bytes()) > len(made) / 2


def test_a_command_does_not_replace_what_another_one_made(place, capsys):
    for name, (command, suffix) in MAKERS.items():
        assert main([*command, "--out", f"{name}{suffix}"]) == 0
    content = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
    for name, (command, suffix) in MAKERS.items():
        for other in MAKERS:
            if other.split()[0] != name.split()[0] and MAKERS[other][1] == suffix:
                assert main([*command, "--out", f"{other}{suffix}"]) == 2, (name, other)
    assert content == {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("content", "replaced"),
    [
        (json.dumps(REPORT), True),
        ("my notes of a month", False),
        ("[1, 2]", False),
        ("{}", False),
        (json.dumps({**REPORT, "sweep": None}).replace('"sweep"', '"swept"'), False),
        ("\xff", False),
    ],
)
def test_a_test_replaces_reports_of_a_test(place, capsys, content, replaced):
    """The checkpoint is not there: whether the output is refused first is what is asked."""
    out = place / "figures.json"
    out.write_text(content, encoding="latin-1")
    assert main(["test", "omnigan_biggan_digits-16", "none.pth", "--json", out.name]) == 2
    assert ("figures.json exists; choose another --json" in capsys.readouterr().err) != replaced
    assert out.read_text(encoding="latin-1") == content


def test_a_report_of_folders_is_refused_whoever_made_it(place, capsys):
    (place / "figures.json").write_text(json.dumps(REPORT))
    command = ["evaluate-folders", "a", "b", "--extractor", "digits-16", "--json", "figures.json"]
    assert main(command) == 2
    assert "figures.json exists; choose another --json or give --overwrite" in capsys.readouterr().err


def test_the_page_of_a_run_in_its_folder_is_always_the_newest(place):
    assert main(["report", "a"]) == 0 == main(["report", "a"])
    (place / "a" / "report.html").write_text("torn")
    assert main(["report", "a"]) == 0
    assert "torn" not in (place / "a" / "report.html").read_text()
