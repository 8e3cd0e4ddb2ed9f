"""``mmcgan train-classifier``: train a small classifier for evaluation."""

from __future__ import annotations

import argparse
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING

from mmcgan.commands.shared import add_training

if TYPE_CHECKING:
    from mmcgan.extractor_training.train_classifier import Recipe


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Train a small classifier on real images and report its accuracy on held-out ones."
    parser.add_argument(
        "data",
        help="a recipe (digits-16, fashion-mnist-32, two-domain-digits-16) or a config, whose training set "
        "is used",
    )
    add_training(parser)
    parser.add_argument("--epochs", type=int, help="default: that of the recipe")
    parser.add_argument(
        "--flip", action="store_true", help="classes do not change when mirrored (with a config)"
    )


def find_recipe(data: str, flip: bool) -> Recipe:
    """Return the named recipe, or one for the training set of a config.

    Raises:
        FileNotFoundError: neither a recipe nor a config.
        ValueError: the config's training set has no ``split`` argument to take test images from.
    """
    from mmcgan.config import load_config
    from mmcgan.extractor_training.train_classifier import RECIPES, Recipe, TrainOptions
    from mmcgan.registry import DATASETS

    if data in RECIPES:
        return RECIPES[data]
    try:
        dataset = dict(load_config(data).train_dataloader.dataset)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error} Recipes: {', '.join(RECIPES)}.") from error
    if "split" not in inspect.signature(DATASETS.require(dataset["type"])).parameters:
        raise ValueError(
            f"{data}: {dataset['type']} has no split to take test images from; point the config's "
            "train_dataloader.dataset at a data set with split='train' and split='test'"
        )
    options = TrainOptions()
    options = replace(options, augmentation=replace(options.augmentation, flip=flip))
    return Recipe({**dataset, "split": "train"}, {**dataset, "split": "test"}, options)


def run(arguments: argparse.Namespace) -> None:
    """Train and print the accuracy on real test images."""
    import torch

    from mmcgan.datasets import AttributeImages
    from mmcgan.extractor_training.train_attributes import train_attribute_classifier
    from mmcgan.extractor_training.train_classifier import train_classifier
    from mmcgan.progress import training_bar
    from mmcgan.registry import DATASETS

    torch.set_num_threads(arguments.threads)
    recipe = find_recipe(arguments.data, arguments.flip)
    options = replace(recipe.options, seed=arguments.seed, precision=arguments.precision)
    if arguments.epochs is not None:
        options = replace(options, epochs=arguments.epochs)
    with training_bar() as progress:
        attributes = issubclass(DATASETS.require(recipe.train["type"]), AttributeImages)
        train = train_attribute_classifier if attributes else train_classifier
        record = train(replace(recipe, options=options), arguments.out, arguments.invocation, progress)
    print(f"accuracy on {record.test_images} real test images: {record.test_accuracy:.2%}")
    for name, share in record.group_accuracy.items():
        print(f"  {name}: {share:.2%}")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record.seconds:.0f} s")
