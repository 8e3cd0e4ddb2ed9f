"""``mmcgan convert``: other codebases' checkpoints become ours, and ours theirs."""

from __future__ import annotations

import argparse
import sys

from mmcgan.commands.shared import writes
from mmcgan.output_paths import check_output, check_output_folder
from mmcgan.text_files import say

DESCRIPTION = """Convert a checkpoint of another codebase into weights and a config of mmcgan, or with --to
the other way round. The format and the network are recognised by names and shapes; nothing in the file is
executed. The exit status is 0 if every key found its place, 1 if some did not, 2 if it could not start."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = DESCRIPTION
    parser.add_argument("source", help=".pth, .pt, .pkl, .bin or .safetensors file, or folder of a run")
    destination = parser.add_argument(
        "destination", nargs="?", help="NAME.safetensors; NAME.py (and NAME.pth) stand beside it"
    )
    writes(parser, destination, folder=None)
    parser.add_argument("--format", metavar="NAME", help="of the source, where its keys leave a choice")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        action="extend",
        metavar="KEY=VALUE",
        help="what weights do not show, such as generator.activation_name=relu or channel_order=bgr",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--ema", action="store_true", help="the averaged generator (default where there is one)"
    )
    which.add_argument("--raw", action="store_true", help="the generator that was trained, not its average")
    parser.add_argument(
        "--generator-only",
        action="store_true",
        help="leave a discriminator out; with --to, write the averaged generator alone",
    )
    parser.add_argument(
        "--strict", action="store_true", help="assume nothing: all that weights do not show is given"
    )
    parser.add_argument("--half", action="store_true", help="store the generator in float16")
    parser.add_argument("--dry-run", action="store_true", help="print what was found, write nothing")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument(
        "--to",
        metavar="PEER",
        help="write our weights in another codebase's format: biggan_pytorch, dgp, hfbiggan, ic_gan, mmagic, "
        "omni_inr, omnigan, projected_gan, r3gan, spade, studiogan, or a plugin's",
    )


def run(arguments: argparse.Namespace) -> int:
    """Convert and print what was found; return the exit status."""
    if arguments.destination is None and not arguments.dry_run:
        raise ValueError("DESTINATION is needed unless --dry-run is given")
    from mmcgan.peers.reading.resolving import ConversionError

    if arguments.destination is not None and arguments.to:
        check_output_folder(arguments.destination, "DESTINATION")
    elif arguments.destination is not None:
        check_output(arguments.destination, "DESTINATION", (".safetensors",))
    try:
        _export(arguments) if arguments.to else _import(arguments)
    except ConversionError as error:
        say(error, to=sys.stderr)
        return 1
    return 0


def _import(arguments: argparse.Namespace) -> None:
    from mmcgan.config import parse_options
    from mmcgan.peers.reading.convert import Options, inspect_checkpoint, write
    from mmcgan.peers.reading.report import print_conversion, print_files

    options = Options(
        format=arguments.format,
        settings=parse_options(arguments.set),
        average=True if arguments.ema else False if arguments.raw else None,
        generator_only=arguments.generator_only,
        strict=arguments.strict,
        half=arguments.half,
    )
    conversion = inspect_checkpoint(arguments.source, options)
    print_conversion(conversion)
    if not arguments.dry_run:
        print_files(write(conversion, arguments.destination, arguments.force))


def _export(arguments: argparse.Namespace) -> None:
    from mmcgan.peers.reading.report import print_files
    from mmcgan.peers.writing.export import convert_back

    files = convert_back(
        arguments.source,
        arguments.destination,
        arguments.to,
        force=arguments.force,
        dry_run=arguments.dry_run,
        generator_only=arguments.generator_only,
    )
    if not arguments.dry_run:
        print_files(files)
