"""What a command is asked to write is checked before it begins, in every command that writes."""

import argparse
import os

import pytest

from mmcgan.cli import COMMANDS, command_parser, main

WRITES_NOTHING = {
    "list": "prints the package's own index",
    "doctor": "prints what it found",
    "check-config": "runs in a temporary folder",
    "demo": "writes to a temporary folder only",
    "completion": "prints a script",
    "plugins": "prints what is installed",
}


def outputs_of(name):
    return command_parser(name).get_default("outputs") or {}


def stand_in(action):
    """Return a value that the parser takes for an argument."""
    if action.choices:
        return str(next(iter(action.choices)))
    return "1" if action.type in (int, float) else "nothing-there"


def call(name, dest, value):
    """Return a command line with all that must be given, and ``value`` for one argument."""
    parser = command_parser(name)
    optional, positional, satisfied = [], [], set()
    for group in parser._mutually_exclusive_groups:
        if group.required:
            satisfied.add(group._group_actions[0].dest)
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        given = value if action.dest == dest else stand_in(action)
        if not action.option_strings:
            wanted = action.dest == dest or action.nargs not in ("?", "*")
            positional += [given] if wanted else []
        elif action.dest == dest or action.required or action.dest in satisfied:
            optional += [action.option_strings[0], given]
    return [name, *positional, *optional]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_writes(name):
    assert bool(outputs_of(name)) != (name in WRITES_NOTHING), (
        f"{name}: declare what it writes (mmcgan.commands.shared.writes), or say here why it writes nothing"
    )
    for action in command_parser(name)._actions:
        text = f"{action.help} {action.metavar}".lower()
        takes_path = action.nargs != 0 and action.type in (None, os.PathLike)
        if takes_path and any(word in text for word in ("to write", "out.", "folder to make")):
            assert action.dest in outputs_of(name), action.dest


@pytest.mark.parametrize(("name", "dest"), [(name, dest) for name in COMMANDS for dest in outputs_of(name)])
def test_an_impossible_output_is_one_sentence_before_any_work(name, dest, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    output = outputs_of(name)[dest]
    suffix = next(iter(output.suffixes), ".safetensors" if output.folder is False else "")
    (tmp_path / "file").write_text("mine")
    (tmp_path / f"folder{suffix}").mkdir()
    bad = {f"file/below{suffix}": "is a file"}
    bad |= {} if output.folder else {f"folder{suffix}": "there is a folder of that name"}
    bad |= {"file": "is a file"} if output.folder else {}
    bad |= {"name.exe": "must be named"} if output.suffixes else {}
    if output.folder is None:
        bad = {f"file/below{suffix}": "is a file"}
    if os.geteuid():  # to the administrator nothing is read-only
        (tmp_path / "closed").mkdir(mode=0o500)
        bad[f"closed/x{suffix}"] = "Permission denied"
    before = sorted(tmp_path.rglob("*"))
    for path, reason in bad.items():
        assert main(call(name, dest, path)) == 2
        error = capsys.readouterr().err
        assert error.startswith("mmcgan: error: ") and path in error and reason in error
        assert "Traceback" not in error and len(error.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


FILES = [(name, dest) for name in COMMANDS for dest, output in outputs_of(name).items() if not output.folder]


def existing_file(output, folder):
    """Write a file of somebody else's under a name that the output may have."""
    file = folder / f"mine{next(iter(output.suffixes), '.safetensors')}"
    file.write_text("mine")
    return file


@pytest.mark.parametrize(("name", "dest"), FILES)
def test_a_file_that_is_there_is_refused_before_any_work(name, dest, tmp_path, monkeypatch, capsys):
    """Where it is read in place of being written, or the command itself decides, it is kept all the same."""
    monkeypatch.chdir(tmp_path)
    output = outputs_of(name)[dest]
    file = existing_file(output, tmp_path)
    assert main(call(name, dest, file.name)) == 2
    said = capsys.readouterr().err
    assert file.read_text() == "mine" and [path.name for path in tmp_path.iterdir()] == [file.name]
    if output.may_be_read or output.folder is None:
        return
    option = "--overwrite" in command_parser(name)._option_string_actions
    assert f"{file.name} exists; " in said and ("give --overwrite" in said) == option, said
    assert ("remove it" in said) != option
    if option:
        main([*call(name, dest, file.name), "--overwrite"])
        assert "exists; " not in capsys.readouterr().err
    monkeypatch.setattr("mmcgan.cli._check_numbers", lambda arguments: None)
    assert main(call(name, dest, "new" + file.suffix)) in (0, 1, 2)
    assert "exists; " not in capsys.readouterr().err


@pytest.mark.parametrize("default", ["compare", "plot", "plot-evaluations", "film", "preview"])
def test_a_file_of_the_default_name_is_refused_too(default, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (dest,) = outputs_of(default)
    file = tmp_path / command_parser(default).get_default(dest)
    file.write_text("mine")
    words = call(default, dest, "unused")
    assert main([word for word in words if word not in ("unused", "--out")]) == 2
    assert f"{file.name} exists; choose another --out" in capsys.readouterr().err
    assert file.read_text() == "mine"
