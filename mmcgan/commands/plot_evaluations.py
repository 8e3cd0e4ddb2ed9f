"""``mmcgan plot-evaluations``: sweeps of several models in one picture."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcgan.commands.shared import PICTURES, add_overwrite, labelled_paths, writes
from mmcgan.output_paths import EVALUATIONS, says
from mmcgan.text_files import content_of, read_json, say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Draw reports of `mmcgan test --truncations ... --json`."
    parser.add_argument("reports", nargs="+", metavar="NAME=FILE", help="reports, with a name or without")
    parser.add_argument(
        "--keys", nargs="+", default=[], help="figures (default: FID, IS, accuracy and so on)"
    )
    out = parser.add_argument(
        "--out", default="evaluations.png", help="picture to write (default: %(default)s)"
    )
    writes(parser, out, suffixes=PICTURES, own=says(EVALUATIONS))
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> None:
    """Draw the reports and print the picture's path.

    Raises:
        FileNotFoundError: a report is missing.
        ValueError: a file is no report of ``mmcgan test --json``, or figures are missing.
    """
    reports = read_reports(arguments.reports)
    from mmcgan.evaluation.report.pictures import draw_evaluations

    draw_evaluations(reports, Path(arguments.out), arguments.keys)
    say(f"picture: {arguments.out}")


def read_reports(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the sweeps of ``NAME=FILE`` or ``FILE`` by name: the config's, with the file's if two share it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a report of ``mmcgan test --json``, or a name twice.
    """
    paths = labelled_paths(arguments)
    plain = {name for name, path in paths.items() if str(path) in arguments}
    found = {name: read_report(path) for name, path in paths.items()}
    configs = Counter(found[name][0] for name in plain)
    sweeps: dict[str, Any] = {}
    for name, (config, sweep) in found.items():
        alone = configs[config] == 1 and config not in paths
        label = name if name not in plain else config if alone else f"{config} ({name})"
        sweeps[label] = sweep
    return sweeps


def read_report(path: Path) -> tuple[str, Any]:
    """Return the config's name and the sweep of a report.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a report of ``mmcgan test --json``.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no report {path}")
    what = "a report of `mmcgan test --json`"
    report = read_json(path, what)
    with content_of(path, what):
        sweep = [_entry(entry) for entry in report["sweep"]]
        if not sweep:
            raise TypeError("its sweep is empty")
        return str(report["config"]), sweep


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is drawn of an entry; TypeError and LookupError for what is no entry."""
    truncation = entry["truncation"]
    summary = {
        str(name): {**figures, "mean": float(figures["mean"]), "std": float(figures["std"])}
        for name, figures in entry["summary"].items()
    }
    scale = entry.get("latent_scale")
    numbers = {"truncation": truncation, "latent_scale": scale}
    read = {name: None if value is None else float(value) for name, value in numbers.items()}
    return {**entry, **read, "summary": summary}
