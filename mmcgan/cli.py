"""The ``mmcgan`` command: the list of commands, and what all of them have in common.

A command is a module of :mod:`mmcgan.commands` with two functions: ``declare(parser)`` adds its arguments and
may set ``parser.description``; ``run(arguments)`` does the work and returns the exit status, or None for 0.
Modules are imported when their command is called, and import nothing heavy before ``run``, so that
``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import shlex
import sys
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from types import ModuleType

from mmcgan.out_of_memory import memory_sentence
from mmcgan.plugin_files import COMMANDS as PLUGIN_COMMANDS
from mmcgan.plugin_files import brought_by, entries
from mmcgan.process import tune_process
from mmcgan.suggestions import nearest
from mmcgan.termination import Terminated, interrupt_behind, unwinding
from mmcgan.text_files import reader_gone, say
from mmcgan.version import __version__

PROGRAM = "mmcgan"
DEBUG_VARIABLE = "MMCGAN_DEBUG"
#: of a shell's conventions: 128 and the number of the signal
SIGNALLED, INTERRUPT, BROKEN_PIPE = 128, 2, 141
#: what a user can put right: shown as a sentence
USER_ERRORS = (ValueError, OSError, ImportError, FloatingPointError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        name: as it is typed.
        group: heading under which ``--help`` and the README list it.
        help: one line.
        module: where ``declare`` and ``run`` are.
    """

    name: str
    group: str
    help: str
    module: str


TRAIN, SAMPLE, DATA = "train and test", "sample and explore", "data and instances"
MODELS, PROJECT, PLUGINS = "models in and out", "project", "plugins"
HERE = "mmcgan.commands"

COMMANDS = {
    command.name: command
    for command in (
        Command("new", TRAIN, "from a folder of images to a config that fits the time", f"{HERE}.new"),
        Command("train", TRAIN, "train a config", f"{HERE}.train"),
        Command("test", TRAIN, "evaluate a checkpoint", f"{HERE}.evaluate"),
        Command(
            "evaluate-folders",
            TRAIN,
            "compare two folders of images, without a model",
            f"{HERE}.evaluate_folders",
        ),
        Command(
            "reference-stats",
            TRAIN,
            "keep the statistics of a config's real images",
            f"{HERE}.reference_stats",
        ),
        Command(
            "train-classifier", TRAIN, "train a small classifier for evaluation", f"{HERE}.train_classifier"
        ),
        Command(
            "train-segmenter",
            TRAIN,
            "train a small segmentation network for evaluation",
            f"{HERE}.train_segmenter",
        ),
        Command("plot", TRAIN, "draw logged figures of runs as curves", f"{HERE}.plot"),
        Command(
            "plot-evaluations",
            TRAIN,
            "draw evaluations over truncation, side by side",
            f"{HERE}.plot_evaluations",
        ),
        Command("report", TRAIN, "write the page of a run, also of one that was killed", f"{HERE}.report"),
        Command("compare", TRAIN, "show runs side by side on one page", f"{HERE}.compare"),
        Command("film", TRAIN, "show a run's samples over training", f"{HERE}.film"),
        Command("claims", TRAIN, "try what the papers claim, and write down what came out", f"{HERE}.claims"),
        Command("list", SAMPLE, "show the shipped models", f"{HERE}.list_models"),
        Command("sample", SAMPLE, "write sample images", f"{HERE}.sample"),
        Command(
            "interpolate",
            SAMPLE,
            "draw the way between latents, classes or instances",
            f"{HERE}.interpolate",
        ),
        Command("sefa", SAMPLE, "draw the directions that change images most", f"{HERE}.sefa"),
        Command("restore", SAMPLE, "restore images with a generator as the prior", f"{HERE}.restore"),
        Command("demo", SAMPLE, "try models on a page in the browser (extra demo)", f"{HERE}.demo"),
        Command(
            "pack-dataset",
            DATA,
            "pack a data set for fast reading; run again to go on after a stop",
            f"{HERE}.pack_dataset",
        ),
        Command("preview", DATA, "show what training will see of a folder of images", f"{HERE}.preview"),
        Command(
            "prepare-instances",
            DATA,
            "compute features and neighbours for instance conditioning",
            f"{HERE}.prepare_instances",
        ),
        Command(
            "train-ssl-extractor",
            DATA,
            "train a feature extractor on unlabelled images",
            f"{HERE}.train_ssl_extractor",
        ),
        Command(
            "coco-stuff-split", DATA, "list the images of COCO-Stuff's splits", f"{HERE}.coco_stuff_split"
        ),
        Command(
            "convert", MODELS, "convert checkpoints of other codebases into ours, and back", f"{HERE}.convert"
        ),
        Command("export", MODELS, "write a generator as ONNX", f"{HERE}.export_onnx"),
        Command(
            "export-weights",
            MODELS,
            "write a checkpoint's averaged generator for sharing",
            f"{HERE}.export_weights",
        ),
        Command("push-to-hub", MODELS, "share weights on the HuggingFace Hub", f"{HERE}.push_to_hub"),
        Command(
            "doctor",
            PROJECT,
            "say what is installed, what works and what makes it slow",
            f"{HERE}.doctor",
        ),
        Command("plugins", PROJECT, "list installed plugins and what each adds", f"{HERE}.plugins"),
        Command(
            "completion",
            PROJECT,
            "print a shell's completion script (extra completion)",
            f"{HERE}.completion",
        ),
        Command(
            "check-config",
            PROJECT,
            "validate configs; train and evaluate each briefly",
            f"{HERE}.check_config",
        ),
    )
}


def all_commands() -> dict[str, Command]:
    """Return our commands and those of plugins, which are found without importing them; ours stay ours."""
    brought: dict[str, Command] = {}
    for entry in entries(PLUGIN_COMMANDS):  # of two plugins with one name the first has it
        brought.setdefault(entry.name, Command(entry.name, PLUGINS, f"of {brought_by(entry)}", entry.value))
    return {**brought, **COMMANDS}


def listing() -> str:
    """Return the commands under their groups, a line each."""
    known = [*COMMANDS.values(), *(x for x in all_commands().values() if x.group == PLUGINS)]
    width = max(len(command.name) for command in known)
    lines: list[str] = []
    for group in dict.fromkeys(command.group for command in known):
        lines += ["", f"{group}:"]
        own = [command for command in known if command.group == group]
        lines += [f"  {command.name:{width}}  {command.help}" for command in own]
    return "\n".join(lines[1:])


def overview() -> argparse.ArgumentParser:
    """Return the parser of ``mmcgan`` without a command: ``--help`` and ``--version``."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [-h] [--version] COMMAND ...",
        description=f"Conditional GANs: train, test, sample.\n\n{listing()}",
        epilog=f"{PROGRAM} COMMAND --help says what a command takes. Errors are shown as one message; with "
        f"{DEBUG_VARIABLE}=1 with their traceback.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("command", metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def command_parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of the command ``name``."""
    command = all_commands()[name]
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {name}", description=_sentence(command.help), allow_abbrev=False
    )
    parser.set_defaults(smallest={}, outputs={})  # a command may say more
    _module(command).declare(parser)
    return parser


def parse(given: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments of a command line, with ``command`` and, for records, ``invocation``.

    ``own_process`` is False: :func:`main` sets it where the command is all that the process does.

    Raises:
        SystemExit: help was asked for, or the arguments are wrong.
    """
    known = all_commands()
    if not given or given[0] not in known:
        parser = overview()
        name = parser.parse_known_args(given)[0].command
        if name in known:
            parser.error(f"options stand behind the command: {PROGRAM} {name} ...")
        parser.error(f"no command {name!r}.{nearest(name, list(known))}")
    arguments = command_parser(given[0]).parse_args(given[1:])
    arguments.command = given[0]
    arguments.invocation = shlex.join([PROGRAM, *given])
    arguments.own_process = False
    return arguments


def main(argv: Sequence[str] | None = None, prefix: Sequence[str] = ()) -> int:
    """Run one command and return the exit status.

    Args:
        argv: arguments; those of the process by default.
        prefix: put in front of them (``tools/train.py`` is ``mmcgan train``).
    """
    try:
        try:
            with unwinding() if argv is None else nullcontext():
                return _run([*prefix, *(sys.argv[1:] if argv is None else argv)], own_process=argv is None)
        finally:
            reader_gone(sys.stderr)
            if reader_gone(sys.stdout):  # noticed here and not when the interpreter ends
                raise BrokenPipeError
    except BrokenPipeError:
        return BROKEN_PIPE
    except KeyboardInterrupt as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        say(f"{PROGRAM}: interrupted {error}".rstrip(), to=sys.stderr)
        return SIGNALLED + (error.number if isinstance(error, Terminated) else INTERRUPT)


def _run(given: Sequence[str], own_process: bool) -> int:
    arguments = parse(given)
    arguments.own_process = own_process
    tune_process()  # before anything imports torch
    try:
        _check_numbers(arguments)
        outputs = arguments.outputs.items()
        for name, output in outputs:
            output.check(getattr(arguments, name), vars(arguments).get("overwrite"))
        with ExitStack() as held:
            for name, output in outputs:
                held.enter_context(output.held(getattr(arguments, name)))
            return _module(all_commands()[arguments.command]).run(arguments) or 0
    except BrokenPipeError:
        raise
    except Exception as error:
        interrupt = interrupt_behind(error)
        if interrupt is not None:
            raise interrupt from None
        if os.environ.get(DEBUG_VARIABLE):
            raise
        message = memory_sentence(error)
        if message is None:
            message = str(error) if isinstance(error, USER_ERRORS) else _fault(error)
        if message is None:
            raise
        return _failed(message)


def _fault(error: Exception) -> str | None:
    """Return what to say of an error that arose in somebody else's component; None of any other."""
    if "mmcgan.registry" not in sys.modules:
        return None
    from mmcgan.faults import fault_of

    return fault_of(error)


def _failed(message: str) -> int:
    say(f"{PROGRAM}: error: {message}", to=sys.stderr)
    return 2


def _check_numbers(arguments: argparse.Namespace) -> None:
    """Check what no command can mean, before any of them begins.

    Raises:
        ValueError: NaN or infinity, or a whole number below 1, or below what the command has declared.
    """
    parser = command_parser(arguments.command)
    smallest = arguments.smallest
    whole = {action.dest for action in parser._actions if action.type is int}
    for name, value in vars(arguments).items():
        least = smallest.get(name, 1) if name in whole else None
        for number in value if isinstance(value, list) else (value,):
            if isinstance(number, float) and not math.isfinite(number):
                raise ValueError(f"--{name.replace('_', '-')} must be a finite number, got {number}")
            if least is not None and isinstance(number, int) and number < least:
                raise ValueError(f"--{name.replace('_', '-')} must be at least {least}, got {number}")


def _module(command: Command) -> ModuleType:
    try:
        module = importlib.import_module(command.module)
        lacking = [name for name in ("declare", "run") if not callable(vars(module).get(name))]
        if lacking:
            raise TypeError(f"{command.module} lacks {' and '.join(lacking)}; see docs/extending/command.md")
        return module
    except (Exception, SystemExit) as error:
        if command.group != PLUGINS or os.environ.get(DEBUG_VARIABLE):
            raise
        why = f"{type(error).__name__}: {error}"
        raise SystemExit(
            f"{PROGRAM}: error: the command {command.name!r} {command.help} failed: {why}"
        ) from error


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    raise SystemExit(main())
