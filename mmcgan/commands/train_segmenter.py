"""``mmcgan train-segmenter``: train a small segmentation network for evaluation."""

from __future__ import annotations

import argparse
import inspect
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmcgan.commands.train_classifier import _bar

if TYPE_CHECKING:
    from mmcgan.extractor_training.train_segmenter import SegmenterRecipe


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="mmcgan train-segmenter",
        description="Train a small segmentation network on real images with label maps and report its mean "
        "IoU on held-out ones.",
    )
    parser.add_argument("data", help="a recipe (scenes-64) or a config, whose training set is used")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="safetensors file to write")
    parser.add_argument("--steps", type=int, help="updates; default: that of the recipe")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--ignore-label", type=int, metavar="ID", help="pixels of this class do not count")
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="auto takes bfloat16 where it is fast (default)",
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; 1 makes the weights repeatable")
    return parser.parse_args(argv)


def find_recipe(data: str) -> SegmenterRecipe:
    """Return the named recipe, or one for the training set of a config.

    Raises:
        FileNotFoundError: neither a recipe nor a config.
        ValueError: the config's training set has no ``split`` argument to take test images from.
    """
    from mmcgan.config import load_config
    from mmcgan.extractor_training.train_segmenter import SEGMENTER_RECIPES, SegmenterRecipe
    from mmcgan.registry import DATASETS

    if data in SEGMENTER_RECIPES:
        return SEGMENTER_RECIPES[data]
    try:
        config = load_config(data)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error} Recipes: {', '.join(SEGMENTER_RECIPES)}.") from error
    dataset = dict(config.train_dataloader.dataset)
    if "split" not in inspect.signature(DATASETS.require(dataset["type"])).parameters:
        raise ValueError(
            f"{data}: {dataset['type']} has no split to take test images from; point the config's "
            "train_dataloader.dataset at a data set with split='train' and others"
        )
    held_out = ((config.get("val_dataloader") or {}).get("dataset") or {}).get("dataset") or {}
    return SegmenterRecipe({**dataset, "split": "train"}, {**dataset, "split": held_out.get("split", "test")})


def main(argv: Sequence[str] | None = None) -> int:
    """Train, print mean IoU and accuracy on real test images, return the exit status."""
    arguments = parse(argv)
    import torch

    from mmcgan.extractor_training.train_segmenter import train_segmenter

    torch.set_num_threads(arguments.threads)
    command = shlex.join(["mmcgan", "train-segmenter", *(sys.argv[2:] if argv is None else argv)])
    try:
        recipe = find_recipe(arguments.data)
        options = replace(recipe.options, seed=arguments.seed, precision=arguments.precision)
        if arguments.ignore_label is not None:
            options = replace(options, ignore_label=arguments.ignore_label)
        if arguments.steps is not None:
            options = replace(options, steps=arguments.steps)
        with _bar() as progress:
            record = train_segmenter(replace(recipe, options=options), arguments.out, command, progress)
    except (ValueError, FileNotFoundError) as error:
        print(f"train-segmenter: error: {error}", file=sys.stderr)
        return 2
    print(
        f"on {record.test_images} real test images: mean IoU {record.test_miou:.2%}, "
        f"pixel accuracy {record.test_pixel_accuracy:.2%}"
    )
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record.seconds:.0f} s")
    return 0
