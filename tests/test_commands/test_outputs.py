"""Where a command is to write is tried before anything is read or computed."""

import pytest

from mmcgan.cli import COMMANDS, command_parser, main

#: command -> calls; {} is the output, every input is missing
FILES = {
    "evaluate-folders": [
        ["real", "fake", "--extractor", "digits-16", "--json", "{}.json"],
        ["real", "fake", "--extractor", "digits-16", "--reference", "{}.safetensors"],
    ],
    "test": [["no-config", "--json", "{}.json"], ["no-config", "--picture", "{}.png"]],
    "reference-stats": [["no-config", "--out", "{}.safetensors"], ["no-config", "--npz", "{}.npz"]],
    "train-classifier": [["no-config", "--out", "{}.safetensors"]],
    "train-segmenter": [["no-config", "--out", "{}.safetensors"]],
    "train-ssl-extractor": [["--images", "none", "--out", "{}.safetensors"]],
    "export-weights": [["none.pth", "{}.safetensors"]],
    "export": [["none", "{}.onnx"]],
    "convert": [["none.pth", "{}.safetensors"]],
    "interpolate": [["none", "--out", "{}.png"]],
    "sefa": [["none", "--out", "{}.png"]],
    "plot": [["none", "--out", "{}.png"]],
    "plot-evaluations": [["none", "--out", "{}.png"]],
    "compare": [["none", "--out", "{}.html"]],
    "report": [["none", "--out", "{}.html"]],
    "film": [["none", "--out", "{}.gif"]],
    "preview": [["none", "--out", "{}.png"]],
}
FOLDERS = {
    "train": [["biggan_digits-16", "--work-dir", "{}"]],
    "test": [["no-config", "--work-dir", "{}"]],
    "sample": [["none", "--out", "{}"]],
    "restore": [["none.png", "--task", "sr", "--model", "none", "--out", "{}"]],
    "pack-dataset": [["none", "{}"]],
    "prepare-instances": [["--images", "none", "--out", "{}"]],
    "coco-stuff-split": [["--annotations", "none", "--out", "{}"]],
    "push-to-hub": [["none", "user/name", "--dry-run", "{}"]],
    "claims": [["--out", "{}"]],
    "new": [["none", "--out", "{}"]],
    "convert": [["none.pth", "{}", "--to", "biggan_pytorch"]],
}
CALLS = [(name, call, True) for name, calls in FILES.items() for call in calls]
CALLS += [(name, call, False) for name, calls in FOLDERS.items() for call in calls]
IDS = [f"{name}-{' '.join(call)}" for name, call, _ in CALLS]


WRITTEN = {"out", "json", "picture", "npz", "reference", "work_dir", "destination"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_output_is_declared(name):
    parser = command_parser(name)
    named = {action.dest for action in parser._actions if action.nargs != 0} & WRITTEN
    assert named <= set(parser.get_default("outputs") or {})


def refusal(name, call, output, capsys):
    assert main([name, *(part.replace("{}", str(output)) for part in call)]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("name", "call", "is_file"), CALLS, ids=IDS)
def test_an_output_that_cannot_be_is_refused_first(name, call, is_file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    under = refusal(name, call, tmp_path / "file" / "x", capsys)
    assert "cannot be written" in under
    suffix = call[[("{}" in part) for part in call].index(True)].removeprefix("{}")
    taken = tmp_path / f"taken{suffix}"
    taken.mkdir() if is_file else taken.write_text("mine")
    message = refusal(name, call, tmp_path / "taken", capsys)
    said = ("folder of that name", "is a file; choose a folder", "must be named")
    assert any(words in message for words in said)
    assert str(taken) in message
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", taken.name]
