"""``mmcgan train``: train a config."""

from __future__ import annotations

import argparse

from mmcgan.commands.shared import add_config
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_config(parser)
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="MODEL",
        help="fine-tune: start from a shipped model, a file of weights, an https:// or hf:// address",
    )
    parser.add_argument(
        "--freeze-d",
        type=int,
        metavar="N",
        help="leave the first N stages of the discriminator as they are (FreezeD)",
    )
    parser.add_argument(
        "--track",
        nargs="+",
        default=[],
        metavar="NAME",
        help="show the run in tensorboard, wandb or mlflow too (extras of these names)",
    )
    parser.add_argument(
        "--allow-changes",
        action="store_true",
        help="with --resume: apply a config that changes the training, and write that down",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, then print the metrics and the picture."""
    from mmcgan.engine.signals import StopRequest

    # before torch is imported: a signal during the start is a request too
    with StopRequest(to_the_end=arguments.own_process):
        _train(arguments)


def _train(arguments: argparse.Namespace) -> None:
    from mmcgan.apis.launch import is_main_process, join_launcher
    from mmcgan.apis.training import train
    from mmcgan.config import parse_options

    join_launcher(arguments.launcher)
    options = parse_options(arguments.cfg_options)
    if arguments.freeze_d is not None:
        options["model.discriminator.freeze_stages"] = arguments.freeze_d
    result = train(
        arguments.config,
        arguments.work_dir,
        arguments.resume,
        options,
        arguments.allow_changes,
        arguments.start,
        arguments.track,
    )
    if is_main_process():
        for name, value in result.metrics.items():
            say(f"{name}: {value:.4f}")
        say(f"picture: {result.picture or 'none was written'}")
