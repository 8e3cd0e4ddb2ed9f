"""``mmcgan train-segmenter``: train a small segmentation network for evaluation."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from mmcgan.commands.shared import add_training, from_number
from mmcgan.text_files import say

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
    parser.add_argument(
        "--held-out",
        type=float,
        metavar="SHARE",
        help="share of the images to test on, where they have no test set of their own (default: 0.2)",
    )


def find_recipe(data: str, held_out: float | None = None) -> SegmenterRecipe:
    """Return the named recipe, or one for the training set of a config.

    Args:
        data: name or config.
        held_out: share of the images to test on, where there is no test set; None for a fifth.

    Raises:
        FileNotFoundError: neither a recipe nor a config.
        ValueError: a share that is not needed, or out of range.
    """
    from mmcgan.config import load_config
    from mmcgan.extractor_training.held_out import refuse_share, share_of
    from mmcgan.extractor_training.train_segmenter import SEGMENTER_RECIPES, SegmenterRecipe

    if data in SEGMENTER_RECIPES:
        refuse_share(data, held_out)
        return SEGMENTER_RECIPES[data]
    try:
        config = load_config(data)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error} Recipes: {', '.join(SEGMENTER_RECIPES)}.") from error
    dataset = dict(config.train_dataloader.dataset)
    share = share_of(dataset, data, held_out)
    if share:
        return SegmenterRecipe(dataset, None, held_out=share)
    tested = ((config.get("val_dataloader") or {}).get("dataset") or {}).get("dataset") or {}
    return SegmenterRecipe({**dataset, "split": "train"}, {**dataset, "split": tested.get("split", "test")})


def run(arguments: argparse.Namespace) -> None:
    """Train and print mean IoU and accuracy on real test images."""
    import torch

    from mmcgan.extractor_training.train_segmenter import train_segmenter
    from mmcgan.progress import training_bar

    torch.set_num_threads(arguments.threads)
    recipe = find_recipe(arguments.data, arguments.held_out)
    options = replace(recipe.options, seed=arguments.seed, precision=arguments.precision)
    if arguments.ignore_label is not None:
        options = replace(options, ignore_label=arguments.ignore_label)
    if arguments.steps is not None:
        options = replace(options, steps=arguments.steps)
    with training_bar() as progress:
        chosen = replace(recipe, options=options)
        record = train_segmenter(chosen, arguments.out, arguments.invocation, progress)
    note = f" (held out: {record.held_out:.0%} of the images)" if record.held_out else ""
    say(
        f"on {record.test_images} real test images{note}: mean IoU {record.test_miou:.2%}, "
        f"pixel accuracy {record.test_pixel_accuracy:.2%}"
    )
    say(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record.seconds:.0f} s")
