"""The ``mmcgan`` command. Parsing imports nothing heavy, so that ``--help`` answers at once.

Every subcommand is one entry of ``COMMANDS``: a help line, the function that declares its
arguments and, as text, the function that runs it, imported only when it is called.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmcgan.version import __version__

DEBUG_VARIABLE = "MMCGAN_DEBUG"
OPTIONS_HELP = "settings of the config to replace, e.g. train_cfg.max_iters=1000"


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        help: one line.
        handler: ``module:function``; the function takes the parsed arguments or, for a
            command that parses for itself (``declare`` is None), the list of them.
        declare: adds its arguments to a parser.
    """

    help: str
    handler: str
    declare: Callable[[argparse.ArgumentParser], None] | None = None


def _config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", help="path or name of a config")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help=OPTIONS_HELP)
    parser.add_argument("--work-dir", help="where to write (default: work_dirs/<config name>)")
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm"],
        default="none",
        help="what started the processes of a distributed job; its environment tells the rest",
    )
    # torch.distributed.launch, which mim uses, repeats the environment's LOCAL_RANK here
    parser.add_argument("--local-rank", help=argparse.SUPPRESS)


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    _config_arguments(parser)
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")


def _test_arguments(parser: argparse.ArgumentParser) -> None:
    _config_arguments(parser)
    parser.add_argument(
        "checkpoint",
        nargs="?",
        help="checkpoint of a run, or exported generator weights (default: weights that ship for the config)",
    )
    parser.add_argument("--json", metavar="OUT", help="also write figures and all settings to this file")
    parser.add_argument("--protocol", metavar="NAME", help="of a publication, such as studiogan-clean")
    parser.add_argument(
        "--metrics", nargs="+", metavar="NAME", help="short names instead of the config's; or all"
    )
    parser.add_argument("--extractor", metavar="NAME", help="instead of the config's, such as inception")
    parser.add_argument("--extractor-weights", metavar="FILE", help="of --extractor")
    parser.add_argument("--num", type=int, metavar="N", help="images to generate for each evaluation")
    parser.add_argument(
        "--seeds", type=int, nargs="+", metavar="SEED", help="evaluate each; mean and deviation"
    )
    parser.add_argument(
        "--truncations", nargs="+", default=["none"], metavar="T", help="evaluate each; none is no truncation"
    )
    parser.add_argument(
        "--batch-statistics",
        default="running",
        metavar="RULE",
        help="of batch norm: running, average (BigGAN's standing), exponential (StudioGAN's), batch",
    )
    parser.add_argument(
        "--standing-steps", type=int, default=16, metavar="N", help="fresh batches (default: 16)"
    )
    parser.add_argument(
        "--standing-batch", type=int, default=64, metavar="N", help="images in each (default: 64)"
    )
    parser.add_argument("--picture", metavar="OUT.png", help="draw the figures over the truncations")


def _sample_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        help="shipped model (see `mmcgan list`), file of weights, https:// or hf:// address, or config",
    )
    parser.add_argument("checkpoint", nargs="?", help="weights; not needed for a shipped model")
    _condition_arguments(parser)
    _image_arguments(parser)
    parser.add_argument(
        "--sample-cfg", nargs="+", default=[], metavar="KEY=VALUE", help="truncation=0.4, seed=1 or num=64"
    )
    parser.add_argument("--out", default="samples", metavar="DIR", help="folder (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help=OPTIONS_HELP)


def _condition_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked for."""
    parser.add_argument(
        "--labels", nargs="+", metavar="LABEL", help="class numbers or names, in turn (default: all)"
    )
    parser.add_argument(
        "--attributes",
        nargs="+",
        metavar="GROUP=NAME",
        help="of a model with attributes, e.g. digit=3,5 domain=textured; groups left out go through all",
    )
    parser.add_argument(
        "--instances",
        nargs="+",
        default=[],
        metavar="PHOTO",
        help="IC-GAN: condition on these images, files or folders, seen in training or not",
    )
    parser.add_argument(
        "--label-maps",
        nargs="+",
        default=[],
        metavar="PNG",
        help="SPADE: paint these maps of class ids, files or folders (default: the held-out data's)",
    )
    parser.add_argument(
        "--grid",
        metavar="KIND",
        help="IC-GAN: latents (instance x latent), classes (instance x class) or interpolate (two of each)",
    )
    parser.add_argument(
        "--columns",
        type=int,
        default=8,
        metavar="N",
        help="latents or steps of --grid (default: %(default)s)",
    )
    parser.add_argument(
        "--nearest", type=int, default=0, metavar="N", help="IC-GAN: show the N closest real images too"
    )
    parser.add_argument(
        "--extractor", metavar="NAME", help="IC-GAN: where the extractor of the instances is now"
    )


def _image_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how many images are made, and how."""
    parser.add_argument(
        "--num", type=int, help="images in all (default: 16, or one of each combination of attributes)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the latents (default: %(default)s)")
    parser.add_argument(
        "--truncation",
        type=float,
        metavar="T",
        help="redraw latents beyond +-T; StyleGAN2: psi (default: off)",
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs="+",
        metavar="PIXELS",
        help="height and width (or one number) of the images, for a generator of any size",
    )
    parser.add_argument(
        "--window",
        type=int,
        nargs=4,
        metavar=("TOP", "LEFT", "HEIGHT", "WIDTH"),
        help="render this part of them only",
    )
    parser.add_argument(
        "--ddls", type=int, metavar="STEPS", help="move latents by the run's discriminator (needs a .pth)"
    )
    parser.add_argument(
        "--ddls-rate", type=float, default=0.01, metavar="RATE", help="its step size (default: %(default)s)"
    )


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help="paths or names (default: all)")
    parser.add_argument("--no-run", action="store_true", help="validate only, without the tiny training step")


def _pack_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="config (its training set is packed), or folder of images")
    parser.add_argument("out", help="folder to make; use it with dict(type='PackedDataset', root=OUT)")
    parser.add_argument("--image-size", type=int, metavar="N", help="height and width (for a folder)")
    parser.add_argument("--unlabelled", action="store_true", help="subfolders of the folder are not classes")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave bad images out, list them in skipped.txt"
    )
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help=OPTIONS_HELP)


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="checkpoint of a run (.pth)")
    parser.add_argument("out", help="NAME.safetensors to write; index.json beside it gets an entry")
    parser.add_argument("--half", action="store_true", help="store float16 instead of float32")
    parser.add_argument(
        "--discriminator", action="store_true", help="write the discriminator, to restore images with"
    )
    parser.add_argument("--command-line", metavar="TEXT", help="what trained it, for the index")


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing."""


COMMANDS = {
    "train": Command("train a config", "mmcgan.apis.commands:train_command", _train_arguments),
    "test": Command("evaluate a checkpoint", "mmcgan.commands.evaluate:test_command", _test_arguments),
    "sample": Command("write sample images", "mmcgan.apis.commands:sample_command", _sample_arguments),
    "interpolate": Command(
        "draw the way between latents, classes or instances",
        "mmcgan.commands.interpolate:interpolate_command",
    ),
    "sefa": Command(
        "draw the directions that change images most", "mmcgan.commands.interpolate:sefa_command"
    ),
    "list": Command("show the shipped models", "mmcgan.apis.commands:list_command", _no_arguments),
    "check-config": Command(
        "validate configs and run one tiny step of each",
        "mmcgan.apis.commands:check_command",
        _check_arguments,
    ),
    "pack-dataset": Command(
        "pack a data set for fast reading; run again to go on after a stop",
        "mmcgan.commands.pack_dataset:pack_command",
        _pack_arguments,
    ),
    "train-classifier": Command(
        "train a small classifier for evaluation", "mmcgan.commands.train_classifier:main"
    ),
    "train-segmenter": Command(
        "train a small segmentation network for evaluation", "mmcgan.commands.train_segmenter:main"
    ),
    "train-ssl-extractor": Command(
        "train a feature extractor on unlabelled images", "mmcgan.commands.train_ssl_extractor:main"
    ),
    "prepare-instances": Command(
        "compute features and neighbours for instance conditioning",
        "mmcgan.commands.prepare_instances:main",
    ),
    "coco-stuff-split": Command(
        "list the images of COCO-Stuff's splits", "mmcgan.commands.coco_stuff_split:main"
    ),
    "evaluate-folders": Command(
        "compare two folders of images, without a model", "mmcgan.commands.evaluate_folders:main"
    ),
    "reference-stats": Command(
        "keep the statistics of a config's real images", "mmcgan.commands.reference_stats:main"
    ),
    "plot-evaluations": Command(
        "draw evaluations over truncation, side by side", "mmcgan.commands.plot_evaluations:main"
    ),
    "restore": Command("restore images with a generator as the prior", "mmcgan.commands.restore:main"),
    "plot": Command("draw logged figures of runs as curves", "mmcgan.commands.plot:main"),
    "convert": Command(
        "convert checkpoints of other codebases into ours, and back", "mmcgan.commands.convert:main"
    ),
    "export": Command("write a generator as ONNX", "mmcgan.commands.export_onnx:main"),
    "push-to-hub": Command("share weights on the HuggingFace Hub", "mmcgan.commands.push_to_hub:main"),
    "export-weights": Command(
        "write a checkpoint's averaged generator for sharing",
        "mmcgan.apis.commands:export_command",
        _export_arguments,
    ),
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="mmcgan",
        description="Conditional GANs: train, test, sample.",
        epilog=f"Errors are shown as one message; with {DEBUG_VARIABLE}=1 with their traceback.",
    )
    parser.add_argument("--version", action="version", version=f"mmcgan {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        own_help = command.declare is not None
        subparser = subparsers.add_parser(
            name, help=command.help, description=command.help, add_help=own_help, allow_abbrev=False
        )
        if command.declare is not None:
            command.declare(subparser)
    return parser


def main(argv: Sequence[str] | None = None, prefix: Sequence[str] = ()) -> int:
    """Run one subcommand and return the exit status.

    Args:
        argv: arguments; those of the process by default.
        prefix: put in front of them (``tools/train.py`` is ``mmcgan train``).
    """
    given = [*prefix, *(sys.argv[1:] if argv is None else argv)]
    command = COMMANDS.get(given[0]) if given else None
    if command is not None and command.declare is None:
        return _run(command, given[1:])
    arguments = build_parser().parse_args(given)
    return _run(COMMANDS[arguments.command], arguments)


def _run(command: Command, arguments: argparse.Namespace | list[str]) -> int:
    module, _, name = command.handler.partition(":")
    handler = getattr(importlib.import_module(module), name)
    try:
        return handler(arguments) or 0
    except (ValueError, FileNotFoundError, FileExistsError, ImportError) as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        # what the user can put right: a sentence, not a traceback
        print(f"mmcgan: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
