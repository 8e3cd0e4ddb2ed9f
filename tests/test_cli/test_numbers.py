"""Numbers that no command can mean are named before it begins, in every command that takes numbers."""

import pytest

from mmcgan.cli import COMMANDS, command_parser, main

from .test_outputs import call

NUMBERS = [
    (name, action)
    for name in COMMANDS
    for action in command_parser(name)._actions
    if action.type in (int, float)
]
MODEL = "omnigan_biggan_digits-16"
# numbers within a text, which argparse does not read
IN_TEXTS = [
    (["test", MODEL, "--truncations", "0.5"], "truncation must be a finite number"),
    (["sample", MODEL, "--codes", "continuous=0"], "--codes continuous="),
    (["sample", MODEL, "--sample-cfg", "truncation=0"], "truncation must be a"),
    (["sample", MODEL, "--sample-cfg", "num=0"], "num must be a number"),
    (["train", MODEL, "--cfg-options", "optim_wrapper.generator.optimizer.lr=0"], "optimizer.lr: "),
    (["evaluate-folders", "real", "fake", "--extractor", "digits-16", "--metrics", "prdc:k=0"], "prdc:k"),
]


def several(arguments, action, number):
    """Return the command line with as many numbers as the argument takes."""
    return arguments if not isinstance(action.nargs, int) else [*arguments, *[number] * (action.nargs - 1)]


def wrong_numbers(name, action):
    """Return texts of numbers that cannot be, each with what must be said of it."""
    if action.type is float:
        said = {"nan": "nan", "inf": "inf", "1e999": "inf"}
        return {text: f"must be a finite number, got {value}" for text, value in said.items()}
    least = (command_parser(name).get_default("smallest") or {}).get(action.dest, 1)
    if least is None:
        assert action.dest in ("seed", "seeds")
        return {}
    return {str(least - 1): f"must be at least {least}, got {least - 1}"}


@pytest.mark.parametrize(
    ("name", "action"), NUMBERS, ids=[f"{name}-{action.dest}" for name, action in NUMBERS]
)
def test_a_number_that_cannot_be_is_named_before_any_work(name, action, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for bad, message in wrong_numbers(name, action).items():
        assert main(several(call(name, action.dest, bad), action, bad)) == 2
        error = capsys.readouterr().err
        assert f"--{action.dest.replace('_', '-')} {message}" in error and len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", ["nan", "1e999", "-1e999"])
@pytest.mark.parametrize(("arguments", "message"), IN_TEXTS, ids=[a[-1] for a, _ in IN_TEXTS])
def test_so_is_a_number_within_a_text(arguments, message, bad, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    *given, last = arguments
    name, equals, _ = last.rpartition("=")
    assert main([*given[:-1], f"{given[-1]}={name}{equals}{bad}"]) == 2  # "=": a value may begin with a minus
    captured = capsys.readouterr()
    assert message in captured.err and not list(tmp_path.iterdir())
