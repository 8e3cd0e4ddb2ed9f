"""``mmcgan reference-stats``: statistics of a config's real images, made ahead of time."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmcgan.commands.shared import add_options, add_overwrite, writes
from mmcgan.text_files import say

if TYPE_CHECKING:
    from mmcgan.evaluation.statistics.reference import Reference


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Compute and keep the statistics of the real images that a config evaluates against."
    parser.add_argument("config", help="path or name of a config")
    out = parser.add_argument(
        "--out",
        metavar="FILE",
        help="safetensors file to write (default: the config's reference.path, or the user's cache)",
    )
    parser.add_argument(
        "--groups",
        nargs="+",
        metavar="NAME=0,1,7",
        help="one file with statistics of each group of classes; or class (one each), or frequency",
    )
    writes(parser, out, suffixes=(".safetensors",))
    npz = parser.add_argument(
        "--npz",
        metavar="FILE",
        help="also write mu and sigma to this .npz, for clean-fid, pytorch-fid and others",
    )
    writes(parser, npz, suffixes=(".npz",))
    add_overwrite(parser)
    parser.add_argument("--evaluator", choices=("test", "val"), default="test", help="default: %(default)s")
    add_options(parser)


def reference_of(config: Mapping[str, Any], where: str, out: str | None) -> Reference:
    """Return the reference of the evaluator config under key ``where``, kept in ``out`` if given.

    Raises:
        ValueError: the config evaluates nothing there, or without a reference.
    """
    from mmcgan.evaluation.statistics.reference import Reference
    from mmcgan.registry import EXTRACTORS

    evaluator = config.get(where)
    if not isinstance(evaluator, Mapping) or not evaluator.get("reference"):
        raise ValueError(
            f"{where} has no reference images; a GenerationEvaluator names them with "
            "reference=dict(dataset=dict(type=..., split=...))"
        )
    options = dict(evaluator["reference"])
    if out is not None:
        options["path"] = out
    return Reference(extractor=EXTRACTORS.build(dict(evaluator["extractor"])), **options)


def write_groups(reference: Reference, texts: Sequence[str], out: str | None) -> None:
    """Compute and write the statistics of groups of classes, and say what they are.

    Raises:
        ValueError: no file to write to, or groups that do not fit the data set.
    """
    from mmcgan.evaluation.statistics.grouped_reference import grouped_statistics, parse_groups, save_grouped

    if out is None:
        raise ValueError("--groups needs --out FILE.safetensors")
    groups = parse_groups(texts, reference.dataset)
    statistics = grouped_statistics(reference, groups)
    save_grouped(Path(out), statistics, groups, reference.identity())
    for name, entry in statistics.items():
        say(f"{name}: {entry.count} images, {len(entry.mean)} features")
    say(f"{out}: {len(statistics)} groups of {reference.extractor.name}")


def run(arguments: argparse.Namespace) -> None:
    """Compute, write, say where."""
    from mmcgan.config import load_config, parse_options
    from mmcgan.datasets.counts import counts_lines, counts_of
    from mmcgan.evaluation.statistics.reference import save_foreign_statistics

    config = load_config(arguments.config, parse_options(arguments.cfg_options))
    reference = reference_of(config, f"{arguments.evaluator}_evaluator", arguments.out)
    if arguments.groups:
        write_groups(reference, arguments.groups, arguments.out)
        say("\n".join(counts_lines(counts_of(reference.dataset).to_json())))
        return
    statistics = reference.build()
    width = len(statistics.mean)
    say(f"{reference.path}: {statistics.count} images, {width} features of {reference.extractor.name}")
    say("\n".join(counts_lines(counts_of(reference.dataset).to_json())))
    if arguments.npz is not None:
        save_foreign_statistics(Path(arguments.npz), statistics)
        say(f"{arguments.npz}: mu and sigma, for clean-fid, pytorch-fid and others")
    if arguments.out is not None:
        say(f"use it with {arguments.evaluator}_evaluator.reference.path={arguments.out}")
