"""``mmcgan train-segmenter``: train a small segmentation network for evaluation."""

from __future__ import annotations

import argparse
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING

from mmcgan.commands.shared import add_training, from_number

if TYPE_CHECKING:
    from mmcgan.extractor_training.train_segmenter import SegmenterRecipe


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Train a small segmentation network on real images with label maps and report its mean IoU on "
        "held-out ones."
    )
    parser.add_argument("data", help="a recipe (scenes-64) or a config, whose training set is used")
    add_training(parser)
    parser.add_argument("--steps", type=int, help="updates; default: that of the recipe")
    parser.add_argument("--ignore-label", type=int, metavar="ID", help="pixels of this class do not count")
    from_number(parser, "ignore_label", 0)


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


def run(arguments: argparse.Namespace) -> None:
    """Train and print mean IoU and accuracy on real test images."""
    import torch

    from mmcgan.extractor_training.train_segmenter import train_segmenter
    from mmcgan.progress import training_bar

    torch.set_num_threads(arguments.threads)
    recipe = find_recipe(arguments.data)
    options = replace(recipe.options, seed=arguments.seed, precision=arguments.precision)
    if arguments.ignore_label is not None:
        options = replace(options, ignore_label=arguments.ignore_label)
    if arguments.steps is not None:
        options = replace(options, steps=arguments.steps)
    with training_bar() as progress:
        chosen = replace(recipe, options=options)
        record = train_segmenter(chosen, arguments.out, arguments.invocation, progress)
    print(
        f"on {record.test_images} real test images: mean IoU {record.test_miou:.2%}, "
        f"pixel accuracy {record.test_pixel_accuracy:.2%}"
    )
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record.seconds:.0f} s")
