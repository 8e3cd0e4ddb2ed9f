"""``mmcgan train-ssl-extractor``: an extractor for one's own images, without labels or a download."""

from __future__ import annotations

import argparse
from dataclasses import replace

from mmcgan.commands.shared import add_images, add_training, open_dataset
from mmcgan.text_files import say

#: of a training without a length: passes over the images, and the updates that a small set gets at least
EPOCHS, LEAST_UPDATES = 20, 1000


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Train a small feature extractor on unlabelled images (SimCLR), for prepare-instances."
    )
    add_images(parser)
    add_training(parser)
    parser.add_argument("--image-size", type=int, default=32, metavar="N", help="default: %(default)s")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--updates",
        type=int,
        metavar="N",
        help=f"optimiser steps (default: {EPOCHS} passes over the images, at least {LEAST_UPDATES})",
    )
    length.add_argument("--epochs", type=int, metavar="N", help="in place of it: passes over the images")
    parser.add_argument("--batch-size", type=int, default=256, help="default: %(default)s")
    parser.add_argument("--flip", action="store_true", help="a mirrored image shows the same")


def run(arguments: argparse.Namespace) -> None:
    """Train and write the file.

    Raises:
        ValueError: a number below 1.
    """
    for name in ("epochs", "updates", "batch_size", "image_size", "threads"):
        given = getattr(arguments, name)
        if given is not None and given < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1, got {given}")
    import torch

    from mmcgan.extractor_training.train_ssl import SSLOptions, train_ssl_extractor
    from mmcgan.progress import training_bar

    torch.set_num_threads(arguments.threads)
    dataset = open_dataset(arguments, arguments.image_size, labelled=False)
    batch_size = min(arguments.batch_size, len(dataset))
    updates = arguments.updates
    if arguments.epochs is None and updates is None:
        updates = max(LEAST_UPDATES, EPOCHS * (len(dataset) // batch_size))
    options = SSLOptions(
        epochs=arguments.epochs or EPOCHS,
        updates=updates,
        batch_size=batch_size,
        image_size=arguments.image_size,
        precision=arguments.precision,
        seed=arguments.seed,
    )
    options = replace(options, augmentation=replace(options.augmentation, flip=arguments.flip))
    with training_bar() as progress:
        record = train_ssl_extractor(dataset, options, arguments.out, arguments.invocation, progress)
    for name, share in record["quality"].items():
        say(f"{name}: {share:.1%}")
    say(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record['seconds']:.0f} s")
