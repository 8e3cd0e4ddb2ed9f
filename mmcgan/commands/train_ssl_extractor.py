"""``mmcgan train-ssl-extractor``: an extractor for one's own images, without labels or a download."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="mmcgan train-ssl-extractor",
        description="Train a small feature extractor on unlabelled images (SimCLR), for prepare-instances.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--images", metavar="DIR", help="folder of images")
    source.add_argument("--dataset", metavar="CONFIG", help="config; its training images are used")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="safetensors file to write")
    parser.add_argument("--image-size", type=int, default=32, metavar="N", help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=256, help="default: %(default)s")
    parser.add_argument("--flip", action="store_true", help="a mirrored image shows the same")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="auto takes bfloat16 where it is fast (default)",
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; 1 makes the weights repeatable")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="with --dataset")
    arguments = parser.parse_args(argv)
    arguments.unlabelled = True
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Train, write the file, return the exit status."""
    arguments = parse(argv)
    for name in ("epochs", "batch_size", "image_size", "threads"):
        if getattr(arguments, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1, got {getattr(arguments, name)}")
    from dataclasses import replace

    import torch

    from mmcgan.commands.prepare_instances import open_dataset
    from mmcgan.commands.train_classifier import _bar
    from mmcgan.extractor_training.train_ssl import SSLOptions, train_ssl_extractor

    torch.set_num_threads(arguments.threads)
    dataset = open_dataset(arguments, arguments.image_size)
    options = SSLOptions(
        epochs=arguments.epochs,
        batch_size=min(arguments.batch_size, len(dataset)),
        image_size=arguments.image_size,
        precision=arguments.precision,
        seed=arguments.seed,
    )
    options = replace(options, augmentation=replace(options.augmentation, flip=arguments.flip))
    given = sys.argv[1:] if argv is None else argv
    command = shlex.join(["mmcgan", "train-ssl-extractor", *given])
    with _bar() as progress:
        record = train_ssl_extractor(dataset, options, arguments.out, command, progress)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record['seconds']:.0f} s")
    return 0
