"""``mmcgan completion``: the script by which a shell completes commands and options."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "tcsh")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Print the script by which a shell completes commands and options (extra completion): "
        'eval "$(mmcgan completion bash)", or write it to a file that your shell reads.'
    )
    parser.add_argument("shell", choices=SHELLS)


def run(arguments: argparse.Namespace) -> None:
    """Print the script.

    Raises:
        ImportError: the library that writes it is not installed; names the extra.
    """
    try:
        import shtab
    except ImportError as error:
        raise ImportError(
            'mmcgan completion needs shtab: python3 -m pip install "mmcgan[completion]"'
        ) from error
    print(shtab.complete(whole_parser(), shell=arguments.shell))


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser of all commands, as a library that looks at parsers needs it."""
    from mmcgan.cli import COMMANDS, PROGRAM, overview
    from mmcgan.cli import command_parser as of_command

    parser = argparse.ArgumentParser(prog=PROGRAM, description=overview().description, allow_abbrev=False)
    parser.add_argument("--version", action="version", version="")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        own = of_command(name)
        commands.add_parser(name, help=command.help, parents=[own], add_help=False, allow_abbrev=False)
    return parser
