"""Arguments that several commands take, and what curves are called in their pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmcgan.output_paths import Output

if TYPE_CHECKING:
    from mmcgan.datasets.base import ImageDataset

OPTIONS_HELP = "settings of the config to replace, e.g. train_cfg.max_iters=1000"


def add_options(parser: argparse.ArgumentParser, text: str = OPTIONS_HELP) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help=text)


def writes(
    parser: argparse.ArgumentParser,
    action: argparse.Action,
    folder: bool | None = False,
    suffixes: tuple[str, ...] = (),
    may_be_read: bool = False,
    locks_itself: bool = False,
    own: Callable[[Path], bool] | None = None,
) -> None:
    """Say that the command writes what an argument names: it is checked before the command begins.

    A file that is there is refused then; :func:`add_overwrite` adds the option that allows it.

    Args:
        parser: changed.
        action: the argument.
        folder, suffixes, may_be_read, locks_itself, own: see :class:`~mmcgan.output_paths.Output`.
    """
    name = action.option_strings[0] if action.option_strings else str(action.metavar or action.dest).upper()
    outputs = dict(parser.get_default("outputs") or {})
    outputs[action.dest] = Output(name, folder, suffixes, may_be_read, locks_itself, own)
    parser.set_defaults(outputs=outputs)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add ``--overwrite``, of a command that writes files."""
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")


def from_number(parser: argparse.ArgumentParser, name: str, least: int | None) -> None:
    """Say from where on a whole number may be; without a word it is a count, at least 1.

    Args:
        parser: changed.
        name: of the argument, as attribute.
        least: the smallest number; None for any.
    """
    parser.set_defaults(smallest={**(parser.get_default("smallest") or {}), name: least})


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add what a command takes that builds a whole run: config, folder, launcher."""
    parser.add_argument("config", help="path or name of a config")
    add_options(parser)
    place = parser.add_argument("--work-dir", help="where to write (default: work_dirs/<config name>)")
    writes(parser, place, folder=True, locks_itself=True)
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm"],
        default="none",
        help="what started the processes of a distributed job; its environment tells the rest",
    )
    # torch.distributed.launch, which mim uses, repeats the environment's LOCAL_RANK here
    parser.add_argument("--local-rank", help=argparse.SUPPRESS)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add a trained generator: ``model`` and, for a config, ``checkpoint``."""
    parser.add_argument(
        "model",
        help="shipped model (see `mmcgan list`), file of weights, https:// or hf:// address, or config",
    )
    parser.add_argument("checkpoint", nargs="?", help="weights; not needed for a shipped model")


def add_picture(parser: argparse.ArgumentParser, picture: str) -> None:
    """Add what the commands that draw one picture of a generator have in common.

    Args:
        parser: changed.
        picture: file that is written by default.
    """
    add_model(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the latents (default: %(default)s)")
    from_number(parser, "seed", None)
    out = parser.add_argument("--out", default=picture, metavar="FILE", help=".png, .gif, .mp4 (%(default)s)")
    writes(parser, out, suffixes=(".png", ".gif", ".mp4"))
    add_overwrite(parser)
    add_options(parser)


def add_attributes(parser: argparse.ArgumentParser) -> None:
    """Add ``--attributes``, of a model that has some."""
    parser.add_argument(
        "--attributes",
        nargs="+",
        metavar="GROUP=NAME",
        help="of a model with attributes, e.g. digit=3,5 domain=textured; groups left out go through all",
    )


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add what the commands that train a small network for evaluation have in common."""
    out = parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="safetensors file to write"
    )
    writes(parser, out, suffixes=(".safetensors",))
    add_overwrite(parser)
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    from_number(parser, "seed", None)
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="auto takes bfloat16 where it is fast (default)",
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; 1 makes the weights repeatable")


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the choice between ``--images`` and ``--dataset``, see :func:`open_dataset`."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--images", metavar="DIR", help="folder of images")
    source.add_argument("--dataset", metavar="CONFIG", help="config; its training images are used")
    add_options(parser, "with --dataset")


def open_dataset(arguments: argparse.Namespace, image_size: int, labelled: bool) -> ImageDataset:
    """Return the images of ``--images`` at ``image_size``, or of ``--dataset``; of pairs, the images.

    Args:
        arguments: with those of :func:`add_images`.
        image_size: of the images of a folder.
        labelled: subfolders of the folder are classes.

    Raises:
        FileNotFoundError: no such folder or config.
        ValueError: ``--cfg-options`` with a folder.
    """
    from mmcgan.archives import is_folder
    from mmcgan.datasets.sets.folder import ImageFolder
    from mmcgan.registry import DATASETS

    if arguments.images is not None:
        if arguments.cfg_options:
            raise ValueError("--cfg-options is for --dataset")
        root = Path(arguments.images)
        if not is_folder(root):
            raise FileNotFoundError(f"--images {root}: no such folder")
        return ImageFolder(str(root), image_size, labelled=labelled)
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


#: endings of the names of pictures that matplotlib writes
PICTURES = (".png", ".pdf", ".svg")


def labelled_paths(arguments: Sequence[str]) -> dict[str, Path]:
    """Return the paths of ``NAME=PATH`` or ``PATH`` by name.

    What is there under the whole text is a path, whatever signs are in it: ``lr=0.1`` may be a folder. Paths
    without a name are called after their last part, or after as many as tell them apart.

    Raises:
        ValueError: a name, or a path, is given twice.
    """
    split = [_split(argument) for argument in arguments]
    called = _last_parts([path for name, path in split if name is None])
    found: dict[str, Path] = {}
    for name, path in split:
        name = called[path.absolute()] if name is None else name
        if name in found:
            raise ValueError(
                f"{name!r} is the name of {found[name]} and of {path}; give them names: NAME={path}"
            )
        found[name] = path
    return found


def _split(argument: str) -> tuple[str | None, Path]:
    places = [place for place, letter in enumerate(argument) if letter == "="]
    if not places or Path(argument).exists():
        return None, Path(argument)
    there = [place for place in places if Path(argument[place + 1 :]).exists()]
    place = (there or places)[0]
    return argument[:place], Path(argument[place + 1 :])


def _last_parts(paths: Sequence[Path]) -> dict[Path, str]:
    """Return for each path as many of its last parts as no other one ends in."""
    whole = [path.absolute() for path in paths]
    if len(set(whole)) < len(whole):
        twice = next(path for path in whole if whole.count(path) > 1)
        raise ValueError(f"{twice} is given twice")
    for count in range(1, max((len(path.parts) for path in whole), default=0) + 1):
        names = ["/".join(path.parts[-count:]) for path in whole]
        if len(set(names)) == len(names):
            return dict(zip(whole, names, strict=True))
    return {path: str(path) for path in whole}
