"""``mmcgan prepare-instances``: features, neighbours and selected instances of an image set."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmcgan.datasets.base import ImageDataset

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
LEAST = 1 << 30


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


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="mmcgan prepare-instances",
        description="Compute what an instance-conditioned GAN trains on: L2-normalised features of every "
        "image, its exact nearest neighbours by cosine, and instances selected by k-means. Interrupted at "
        "any moment, the same command goes on; under torchrun the ranks share the work.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--images", metavar="DIR", help="folder of images")
    source.add_argument("--dataset", metavar="CONFIG", help="config; its training images are used")
    parser.add_argument(
        "--extractor",
        required=True,
        metavar="NAME",
        help="efficientnet-lite0, a shipped classifier (digits-16, ...), a .safetensors file made by "
        "train-ssl-extractor or train-classifier, swav-resnet50:FILE, supervised-resnet50:FILE, "
        "balanced-resnet50:FILE or timm:MODEL:FILE",
    )
    parser.add_argument("--out", required=True, metavar="STORE", help="folder to make")
    parser.add_argument("--k", type=int, default=50, help="neighbours of each image (default: %(default)s)")
    parser.add_argument(
        "--kmeans",
        type=int,
        default=1000,
        metavar="M",
        help="instances to select; 0 for none (default: %(default)s, at most one image in two)",
    )
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
    parser.add_argument(
        "--image-size", type=int, metavar="N", help="with --images (default: the extractor's)"
    )
    parser.add_argument("--unlabelled", action="store_true", help="subfolders of --images are not classes")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="with --dataset")
    return parser.parse_args(argv)


def open_images(arguments: argparse.Namespace, image_size: int) -> ImageDataset:
    """Return the images that the arguments name, a folder's read at ``--image-size`` or ``image_size``.

    Raises:
        FileNotFoundError: no such folder or config.
        ValueError: options of the other kind of source.
    """
    if arguments.dataset is not None and (arguments.image_size is not None or arguments.unlabelled):
        raise ValueError("--image-size and --unlabelled are for --images")
    return open_dataset(arguments, arguments.image_size or image_size)


def open_dataset(arguments: argparse.Namespace, image_size: int) -> ImageDataset:
    """Return the images of ``--images`` at ``image_size``, or of ``--dataset``; of pairs, the images.

    Raises:
        FileNotFoundError: no such folder or config.
        ValueError: ``--cfg-options`` with a folder.
    """
    from mmcgan.datasets.sets.folder import ImageFolder
    from mmcgan.registry import DATASETS

    if arguments.images is not None:
        if arguments.cfg_options:
            raise ValueError("--cfg-options is for --dataset")
        root = Path(arguments.images)
        if not root.is_dir():
            raise FileNotFoundError(f"--images {root}: no such folder")
        return ImageFolder(str(root), image_size, labelled=not arguments.unlabelled)
    dataset = _dataset_config(arguments)
    while isinstance(dataset.get("dataset"), dict) and "store" in dataset:
        dataset = dict(dataset["dataset"])
    return DATASETS.build(dataset)


def _dataset_config(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the config of the training set; the store that it may name need not be there yet."""
    from mmcgan.config import parse_options
    from mmcgan.config.facts import SOURCE
    from mmcgan.config.load import prepare_config, read_config
    from mmcgan.config.locate import find_config
    from mmcgan.config.problems import ConfigError
    from mmcgan.plugins import load_plugins

    load_plugins()
    config = read_config(find_config(arguments.dataset))
    options = parse_options(arguments.cfg_options)
    problems = prepare_config(config, options)
    about_data = [p for p in problems if p.path.startswith(f"{SOURCE}.") or p.path in options]
    if about_data:
        raise ConfigError(arguments.dataset, about_data)
    if "train_dataloader" not in config:
        raise ValueError(f"{arguments.dataset} has no train_dataloader")
    return config.train_dataloader.dataset.to_dict()


def main(argv: Sequence[str] | None = None) -> int:
    """Make the store, say what is in it, return the exit status."""
    arguments = parse(argv)
    from mmcgan.distributed import destroy_process_group, initialize_process_group
    from mmcgan.instance_preparation.prepare import Options, prepare_instances
    from mmcgan.instances.names import extractor_config
    from mmcgan.registry import EXTRACTORS

    extractor = extractor_config(arguments.extractor)
    network = EXTRACTORS.build(dict(extractor))
    dataset = open_images(arguments, network.preprocessing.image_size)
    given = list(sys.argv[1:] if argv is None else argv)
    given = given[1:] if given[:1] == ["prepare-instances"] else given
    options = Options(
        k=arguments.k,
        kmeans=min(arguments.kmeans, len(dataset) // 2),
        flip=arguments.flip,
        precision=arguments.precision,
        seed=arguments.seed,
        max_memory=arguments.max_memory,
        command=shlex.join(["mmcgan", "prepare-instances", *given]),
    )
    created = initialize_process_group()
    try:
        store = prepare_instances(dataset, extractor, arguments.out, options)
    finally:
        if created:
            destroy_process_group()
    print(
        f"{store.root}: {store.size} instances of dimension {store.dim}, {store.k} neighbours each, "
        f"{options.kmeans} selected by k-means"
        + (", mirrored features" if store.flipped else "")
        + (f", {store.num_classes} classes" if store.num_classes else "")
    )
    return 0
