"""``mmcgan test``: evaluate a checkpoint."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcgan.commands.shared import add_config, add_overwrite, from_number, writes
from mmcgan.output_paths import EVALUATIONS, says
from mmcgan.text_files import say

#: keys that every report has
REPORTED = {"config", "checkpoint", "checkpoint_sha256", "sweep"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_config(parser)
    parser.add_argument(
        "checkpoint",
        nargs="?",
        help="checkpoint of a run, or exported generator weights (default: weights that ship for the config)",
    )
    report = parser.add_argument(
        "--json", metavar="OUT", help="also write figures and all settings to this file"
    )
    writes(parser, report, suffixes=(".json",), own=is_report)
    add_overwrite(parser)
    parser.add_argument("--protocol", metavar="NAME", help="of a publication, such as studiogan-clean")
    parser.add_argument(
        "--metrics", nargs="+", metavar="NAME", help="short names instead of the config's; or all"
    )
    parser.add_argument("--extractor", metavar="NAME", help="instead of the config's, such as inception")
    parser.add_argument("--extractor-weights", metavar="FILE", help="of --extractor")
    parser.add_argument(
        "--real-split", metavar="NAME", help="of the real images to compare with, instead of the config's"
    )
    parser.add_argument("--num", type=int, metavar="N", help="images to generate for each evaluation")
    parser.add_argument(
        "--seeds", type=int, nargs="+", metavar="SEED", help="evaluate each; mean and deviation"
    )
    from_number(parser, "seeds", None)
    parser.add_argument(
        "--truncations", nargs="+", default=["none"], metavar="T", help="evaluate each; none is no truncation"
    )
    parser.add_argument(
        "--truncation-centre",
        choices=("mean", "class"),
        help="StyleGAN2: move styles towards the mean of all, or of the class (default: the model's)",
    )
    parser.add_argument(
        "--latent-scales",
        type=float,
        nargs="+",
        metavar="S",
        help="evaluate each: latents S times as wide as in training (default: as the weights say)",
    )
    parser.add_argument(
        "--batch-statistics",
        default="running",
        metavar="RULE",
        help="of batch norm: running, average (BigGAN's standing), exponential (StudioGAN's), batch",
    )
    parser.add_argument(
        "--standing-steps", type=int, default=16, metavar="N", help="fresh batches (default: 16)"
    )
    parser.add_argument(
        "--standing-batch", type=int, default=64, metavar="N", help="images in each (default: 64)"
    )
    picture = parser.add_argument(
        "--picture", metavar="OUT.png", help="draw the figures over the truncations, or over the scales"
    )
    writes(parser, picture, suffixes=(".png",), own=says(EVALUATIONS))


def is_report(path: Path) -> bool:
    """Return whether a file is an earlier report of this command, which a new one may replace."""
    from mmcgan.text_files import read_json

    try:
        return {*read_json(path, "a report of `mmcgan test --json`")} >= REPORTED
    except (OSError, ValueError):
        return False


def run(arguments: argparse.Namespace) -> None:
    """Evaluate a checkpoint; show tables, write the report and the picture."""
    from mmcgan.apis.launch import join_launcher
    from mmcgan.apis.testing import evaluate, evaluation_only
    from mmcgan.config import parse_options
    from mmcgan.zoo.gone_components import load_config_beside

    join_launcher(arguments.launcher)
    cfg = load_config_beside(arguments.config, parse_options(arguments.cfg_options), arguments.checkpoint)
    evaluation_only(cfg)
    sweep = sweep_of(arguments, prepare(cfg, arguments))
    report = {
        "protocol": arguments.protocol,
        **evaluate(cfg, arguments.checkpoint, arguments.work_dir, sweep),
    }
    if report["main_process"]:
        show(report, cfg, arguments)


def prepare(cfg: Any, arguments: argparse.Namespace) -> Any:
    """Let the config follow the arguments; return the protocol, None without one.

    Raises:
        ValueError: an unknown name, or a config that cannot follow.
    """
    from mmcgan.evaluation.report.protocols import apply_protocol, override
    from mmcgan.extractors.names import extractor_config

    protocol = apply_protocol(cfg, arguments.protocol) if arguments.protocol else None
    extractor = None
    if arguments.extractor:
        extractor = extractor_config(arguments.extractor, arguments.extractor_weights)
    elif arguments.extractor_weights:
        cfg.test_evaluator["extractor"]["weights"] = arguments.extractor_weights
    override(
        cfg,
        metrics=arguments.metrics,
        extractor=extractor,
        images=arguments.num,
        real_split=arguments.real_split,
    )
    return protocol


def sweep_of(arguments: argparse.Namespace, protocol: Any) -> Any:
    """Return the sweep that the arguments ask for; seeds default to the protocol's.

    Raises:
        ValueError: a truncation that is no number, or one out of range.
    """
    from mmcgan.evaluation.report.sweep import Sweep
    from mmcgan.evaluation.statistics.batch_statistics import BatchStatistics

    statistics = BatchStatistics(
        arguments.batch_statistics,
        arguments.standing_steps,
        arguments.standing_batch,
        random_sizes=arguments.batch_statistics == "exponential",
    )
    seeds = tuple(arguments.seeds or (protocol.seeds if protocol else ()))
    truncations = tuple(_truncation(text) for text in arguments.truncations)
    scales = tuple(arguments.latent_scales or (None,))
    return Sweep(seeds, truncations, statistics, arguments.truncation_centre, scales)


def _truncation(text: str) -> float | None:
    if text.lower() == "none":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"--truncations {text}: give numbers, or none") from error


def show(report: dict[str, Any], cfg: Any, arguments: argparse.Namespace) -> None:
    """Write what was asked for, and print tables and a row for the model zoo.

    Files come first: no trouble with the screen loses an evaluation, and none with the picture its tables.
    """
    from mmcgan.evaluation.report.pictures import draw_evaluations
    from mmcgan.evaluation.report.report import write_json

    entries = report["sweep"]
    if arguments.json:
        write_json(arguments.json, {"metrics": entries[0]["runs"][0], **report})
    try:
        if arguments.picture:
            draw_evaluations({report["config"]: entries}, Path(arguments.picture))
    finally:
        _print(report, cfg)
    for what, path in (("report", arguments.json), ("picture", arguments.picture)):
        if path:
            say(f"{what}: {path}")


def _print(report: Mapping[str, Any], cfg: Any) -> None:
    from mmcgan.evaluation.report.report import (
        NO_FIGURE,
        print_costs,
        print_failures,
        print_table,
        without_figures,
    )
    from mmcgan.evaluation.report.sweep import heading

    entries = report["sweep"]
    columns = {heading(entry): entry["summary"] for entry in entries}
    reports = [found for entry in entries for found in entry["reports"] if found is not None]
    missing = without_figures(reports)
    title = f"{report['config']}, {Path(report['checkpoint']).name} ({report['network']})"
    print_table(title, columns, missing)
    first = entries[0]["reports"][0]
    if first is not None:
        print_costs(first)
        print_failures(reports)
        say(_row(report, cfg, first))
    for name, entry in entries[0]["summary"].items():
        say(f"{name}: {entry['mean']:.4f}")
    for name in missing:
        say(f"{name}: {NO_FIGURE}")


def _row(report: Mapping[str, Any], cfg: Any, first: Mapping[str, Any]) -> str:
    from mmcgan.evaluation.report.report import ZOO_COLUMNS, zoo_row

    entry = next((e for e in report["sweep"] if e["truncation"] is None), report["sweep"][0])
    figures = {name: value["mean"] for name, value in entry["summary"].items()}
    data = (
        str((first["reference"] or {}).get("dataset", ""))
        + f" {cfg.model['generator'].get('image_size', '')}"
    )
    row = zoo_row(
        report["config"], data.strip(), figures, first["generated_images"], report["checkpoint_sha256"]
    )
    return f"row for model-zoo.md ({', '.join(ZOO_COLUMNS)}):\n{row}"
