"""``tools/train_classifier.py``: train a small classifier for evaluation."""

from __future__ import annotations

import argparse
import inspect
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmcgan.extractor_training.train_classifier import Recipe


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="train_classifier.py",
        description="Train a small classifier on real images and report its accuracy on held-out ones.",
    )
    parser.add_argument(
        "data",
        help="a recipe (digits-16, fashion-mnist-32, two-domain-digits-16) or a config, whose training set "
        "is used",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="safetensors file to write")
    parser.add_argument("--epochs", type=int, help="default: that of the recipe")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--flip", action="store_true", help="classes do not change when mirrored (with a config)"
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="auto takes bfloat16 where it is fast (default)",
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; 1 makes the weights repeatable")
    return parser.parse_args(argv)


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


@contextmanager
def _bar() -> Iterator[Callable[[int, int, float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    text = TextColumn("training {task.completed}/{task.total}, loss {task.fields[loss]:.3f}")
    columns = (text, BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("train", total=None, loss=float("nan"))
        yield lambda step, total, loss: bar.update(task, completed=step, total=total, loss=loss)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, print the accuracy on real test images, return the exit status."""
    arguments = parse(argv)
    import torch

    from mmcgan.datasets import AttributeImages
    from mmcgan.extractor_training.train_attributes import train_attribute_classifier
    from mmcgan.extractor_training.train_classifier import train_classifier
    from mmcgan.registry import DATASETS

    torch.set_num_threads(arguments.threads)
    command = shlex.join(["tools/train_classifier.py", *(sys.argv[1:] if argv is None else argv)])
    try:
        recipe = find_recipe(arguments.data, arguments.flip)
        options = replace(recipe.options, seed=arguments.seed, precision=arguments.precision)
        if arguments.epochs is not None:
            options = replace(options, epochs=arguments.epochs)
        with _bar() as progress:
            attributes = issubclass(DATASETS.require(recipe.train["type"]), AttributeImages)
            train = train_attribute_classifier if attributes else train_classifier
            record = train(replace(recipe, options=options), arguments.out, command, progress)
    except (ValueError, FileNotFoundError) as error:
        print(f"train_classifier.py: error: {error}", file=sys.stderr)
        return 2
    print(f"accuracy on {record.test_images} real test images: {record.test_accuracy:.2%}")
    for name, share in record.group_accuracy.items():
        print(f"  {name}: {share:.2%}")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, {record.seconds:.0f} s")
    return 0
