"""``mmcgan train-ssl-extractor``: an extractor for one's own images, without labels or a download."""

from __future__ import annotations

import argparse
from dataclasses import replace

from mmcgan.commands.shared import add_images, add_training, check_counts, open_dataset


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Train a small feature extractor on unlabelled images (SimCLR), for prepare-instances."
    )
    add_images(parser)
    add_training(parser)
    parser.add_argument("--image-size", type=int, default=32, metavar="N", help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=256, help="default: %(default)s")
    parser.add_argument("--flip", action="store_true", help="a mirrored image shows the same")


def run(arguments: argparse.Namespace) -> None:
    """Train and write the file.

    Raises:
        ValueError: a number below 1.
    """
    check_counts(arguments, "epochs", "batch_size", "image_size", "threads")
    import torch

    from mmcgan.extractor_training.train_ssl import SSLOptions, train_ssl_extractor
    from mmcgan.progress import training_bar

    torch.set_num_threads(arguments.threads)
    dataset = open_dataset(arguments, arguments.image_size, labelled=False)
    options = SSLOptions(
        epochs=arguments.epochs,
        batch_size=min(arguments.batch_size, len(dataset)),
        image_size=arguments.image_size,
        precision=arguments.precision,
        seed=arguments.seed,
    )
    options = replace(options, augmentation=replace(options.augmentation, flip=arguments.flip))
    with training_bar() as progress:
        record = train_ssl_extractor(dataset, options, arguments.out, arguments.invocation, progress)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record['seconds']:.0f} s")
