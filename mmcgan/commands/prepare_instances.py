"""``mmcgan prepare-instances``: features, neighbours and selected instances of an image set."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from mmcgan.commands.shared import add_images, from_number, open_dataset, writes
from mmcgan.text_files import say

if TYPE_CHECKING:
    from mmcgan.datasets.base import ImageDataset

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
LEAST = 1 << 30
EXTRACTOR = "efficientnet-lite0"


def memory_size(text: str) -> int:
    """Return the bytes that a text like ``2GB`` or ``1500M`` stands for.

    Raises:
        argparse.ArgumentTypeError: not a size, or below 1 GB, which the libraries need.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 2GB or 1500MB")
    size = int(float(match[1]) * UNITS[match[2].upper()])
    if size < LEAST:
        raise argparse.ArgumentTypeError(f"{text} is too little: the libraries alone need about 1GB")
    return size


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Compute what an instance-conditioned GAN trains on: L2-normalised features of every image, its "
        "exact nearest neighbours by cosine, and instances selected by k-means. Interrupted at any moment, "
        "the same command goes on; under torchrun the ranks share the work."
    )
    add_images(parser)
    parser.add_argument(
        "--extractor",
        default=EXTRACTOR,
        metavar="NAME",
        help="efficientnet-lite0 (the default; needs the extra weights), a shipped classifier (digits-16, "
        "...), a .safetensors file made by "
        "train-ssl-extractor or train-classifier, swav-resnet50:FILE, supervised-resnet50:FILE, "
        "balanced-resnet50:FILE or timm:MODEL:FILE",
    )
    out = parser.add_argument("--out", required=True, metavar="STORE", help="folder to make")
    writes(parser, out, folder=True)
    parser.add_argument("--k", type=int, default=50, help="neighbours of each image (default: %(default)s)")
    parser.add_argument(
        "--kmeans",
        type=int,
        default=1000,
        metavar="M",
        help="instances to select; 0 for none (default: %(default)s, at most one image in two)",
    )
    from_number(parser, "kmeans", 0)
    parser.add_argument("--flip", action="store_true", help="also the features of the mirrored images")
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="of the extractor; auto takes bfloat16 where it is fast and its features agree (cosine 0.9999)",
    )
    parser.add_argument(
        "--max-memory",
        type=memory_size,
        default="2GB",
        metavar="SIZE",
        help="of the process, whatever the size of the data set (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of k-means (default: %(default)s)")
    from_number(parser, "seed", None)
    parser.add_argument(
        "--image-size", type=int, metavar="N", help="with --images (default: the extractor's)"
    )
    parser.add_argument("--unlabelled", action="store_true", help="subfolders of --images are not classes")


def open_images(arguments: argparse.Namespace, image_size: int) -> ImageDataset:
    """Return the images that the arguments name, a folder's read at ``--image-size`` or ``image_size``.

    Raises:
        FileNotFoundError: no such folder or config.
        ValueError: options of the other kind of source.
    """
    if arguments.dataset is not None and (arguments.image_size is not None or arguments.unlabelled):
        raise ValueError("--image-size and --unlabelled are for --images")
    return open_dataset(arguments, arguments.image_size or image_size, not arguments.unlabelled)


def run(arguments: argparse.Namespace) -> None:
    """Make the store and say what is in it."""
    from mmcgan.datasets.counts import counts_lines, counts_of
    from mmcgan.distributed import destroy_process_group, initialize_process_group
    from mmcgan.extractors.names import extractor_config
    from mmcgan.instance_preparation.options import Options
    from mmcgan.instance_preparation.prepare import prepare_instances
    from mmcgan.registry import EXTRACTORS

    extractor = extractor_config(arguments.extractor)
    network = EXTRACTORS.build(dict(extractor))
    dataset = open_images(arguments, network.preprocessing.image_size)
    options = Options(
        k=arguments.k,
        kmeans=min(arguments.kmeans, len(dataset) // 2),
        flip=arguments.flip,
        precision=arguments.precision,
        seed=arguments.seed,
        max_memory=arguments.max_memory,
        command=arguments.invocation,
    )
    created = initialize_process_group()
    try:
        store = prepare_instances(dataset, extractor, arguments.out, options, network)
    finally:
        if created:
            destroy_process_group()
    say(
        f"{store.root}: {store.size} instances of dimension {store.dim}, {store.k} neighbours each, "
        f"{options.kmeans} selected by k-means"
        + (", mirrored features" if store.flipped else "")
        + (f", {store.num_classes} classes" if store.num_classes else "")
    )
    say("\n".join(counts_lines(counts_of(dataset).to_json())))
