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


def several(arguments, action, number):
    """Return the command line with as many numbers as the argument takes."""
    return arguments if not isinstance(action.nargs, int) else [*arguments, *[number] * (action.nargs - 1)]


@pytest.mark.parametrize(
    ("name", "action"), NUMBERS, ids=[f"{name}-{action.dest}" for name, action in NUMBERS]
)
def test_a_number_that_cannot_be_is_named_before_any_work(name, action, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if action.type is float:
        bad, message = "nan", "nan is not a number"
    else:
        least = (command_parser(name).get_default("smallest") or {}).get(action.dest, 1)
        if least is None:
            assert action.dest in ("seed", "seeds")
            return
        bad, message = str(least - 1), f"must be at least {least}, got {least - 1}"
    assert main(several(call(name, action.dest, bad), action, bad)) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())
