"""``mmcgan train-classifier``: train a small classifier for evaluation."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mmcgan.commands.shared import add_training
from mmcgan.text_files import say

if TYPE_CHECKING:
    from mmcgan.extractor_training.train_classifier import Recipe


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Train a small classifier on real images and report its accuracy on held-out ones."
    parser.add_argument(
        "data",
        help="a recipe (digits-16, fashion-mnist-32, two-domain-digits-16), a config, whose training set is "
        "used, or a folder with a folder of images for each class",
    )
    add_training(parser)
    parser.add_argument("--epochs", type=int, help="default: that of the recipe")
    parser.add_argument(
        "--flip", action="store_true", help="classes do not change when mirrored (with a config or folder)"
    )
    parser.add_argument("--image-size", type=int, metavar="N", help="height and width (for a folder)")
    parser.add_argument(
        "--held-out",
        type=float,
        metavar="SHARE",
        help="share of each class, or combination of attributes, to test on, where the images have no test "
        "set of their own (default: 0.2)",
    )


def find_recipe(
    data: str, flip: bool, image_size: int | None = None, held_out: float | None = None
) -> Recipe:
    """Return the named recipe, or one for the training set of a config or for a folder of class folders.

    Args:
        data: name, config or folder.
        flip: classes do not change when mirrored.
        image_size: of a folder's images.
        held_out: share of each class, or combination of attributes, to test on, where there is no test set;
            None for a fifth.

    Raises:
        FileNotFoundError: neither a recipe nor a config nor a folder.
        ValueError: no size for a folder, a size for something else, or a share that is not needed.
    """
    from mmcgan.archives import is_folder
    from mmcgan.config import load_config
    from mmcgan.extractor_training.held_out import refuse_share, share_of
    from mmcgan.extractor_training.train_classifier import RECIPES, Recipe, TrainOptions

    of_folder = data not in RECIPES and is_folder(data)
    if of_folder and image_size is None:
        raise ValueError(f"{data} is a folder: give --image-size, the height and width to read images at")
    if not of_folder and image_size is not None:
        raise ValueError(f"{data} is not a folder, whose images --image-size is for")
    dataset: dict[str, Any]
    if data in RECIPES:
        refuse_share(data, held_out)
        return RECIPES[data]
    if of_folder:
        dataset = {"type": "ImageFolder", "root": data, "image_size": image_size}
    else:
        try:
            dataset = dict(load_config(data).train_dataloader.dataset)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{error} Recipes: {', '.join(RECIPES)}.") from error
    options = TrainOptions()
    options = replace(options, augmentation=replace(options.augmentation, flip=flip))
    share = share_of(dataset, data, held_out)
    if share:
        return Recipe(dataset, None, options, share)
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
    recipe = find_recipe(arguments.data, arguments.flip, arguments.image_size, arguments.held_out)
    options = replace(recipe.options, seed=arguments.seed, precision=arguments.precision)
    if arguments.epochs is not None:
        options = replace(options, epochs=arguments.epochs)
    with training_bar() as progress:
        attributes = issubclass(DATASETS.require(recipe.train["type"]), AttributeImages)
        train = train_attribute_classifier if attributes else train_classifier
        record = train(replace(recipe, options=options), arguments.out, arguments.invocation, progress)
    kind = "combination" if record.attributes else "class"
    note = f" (held out: {record.held_out:.0%} of each {kind})" if record.held_out else ""
    say(f"accuracy on {record.test_images} real test images{note}: {record.test_accuracy:.2%}")
    for name, share in record.group_accuracy.items():
        say(f"  {name}: {share:.2%}")
    say(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record.seconds:.0f} s")
