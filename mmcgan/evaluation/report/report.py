"""What an evaluation leaves behind: a table, a JSON file and a row for the model zoo."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from rich.text import Text

from mmcgan.checkpoints.atomic import write_file
from mmcgan.figure_directions import better
from mmcgan.scalars import mean_and_deviation
from mmcgan.screen import Console
from mmcgan.text_files import on_screen, say
from mmcgan.version import __version__, version_of

PACKAGES = ("torchvision", "numpy", "scipy", "timm", "pillow", "mmengine", "torch-fidelity", "lpips")
ARROWS = {"less": "↓", "greater": "↑", None: ""}
ZOO_COLUMNS = ("name", "data", "FID", "IS", "conditional accuracy", "images", "sha256")


def environment() -> dict[str, str]:
    """Return the versions that can change a figure's last digits; packages that are absent are left out."""
    found = {"mmcgan": __version__, "python": platform.python_version(), "torch": torch.__version__}
    found |= {name: version for name in PACKAGES if (version := version_of(name))}
    return {**found, "machine": platform.machine()}


def summarize(runs: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float | int]]:
    """Return mean, sample standard deviation and number of every figure over repeated evaluations.

    An evaluation in which a metric failed does not count for its figures.

    Raises:
        ValueError: no runs.
    """
    if not runs:
        raise ValueError("summarize: no evaluations were given")
    summary: dict[str, dict[str, float | int]] = {}
    for name in dict.fromkeys(name for run in runs for name in run):
        values = [run[name] for run in runs if name in run]
        mean, spread = mean_and_deviation(values)
        summary[name] = {"mean": mean, "std": spread, "runs": len(values)}
    return summary


def formatted(entry: Mapping[str, float | int]) -> str:
    """Return "mean", or "mean ± sd" of several runs, with four significant digits."""
    text = f"{entry['mean']:.4g}"
    return f"{text} ± {entry['std']:.2g}" if entry["runs"] > 1 else text


def direction(figure: str) -> str:
    """Return ↓ or ↑ for figures whose better direction is known, else nothing."""
    return ARROWS[better(figure)]


NO_FIGURE = "none"


def print_table(
    title: str,
    columns: Mapping[str, Mapping[str, Mapping[str, float | int]]],
    without: Sequence[str] = (),
) -> None:
    """Show figures as rows and evaluations as columns.

    Args:
        title: above the table.
        columns: heading -> figure -> mean, std and runs, see :func:`summarize`.
        without: metrics that have no figure in any of them: a row each, see :func:`print_failures`.
    """
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    for heading in columns:
        table.add_column(heading, justify="right")
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    for name in names:
        cells = [formatted(figures[name]) if name in figures else "" for figures in columns.values()]
        table.add_row(Text(on_screen(f"{name} {direction(name)}".rstrip())), *cells)
    for name in without:
        table.add_row(name, *(NO_FIGURE for _ in columns))
    Console().print(table)


def failures(reports: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return, by metric, why it has no figure in some of the reports of one sweep; each reason once."""
    found: dict[str, list[str]] = {}
    for report in reports:
        for metric in report["metrics"]:
            if "error" in metric and metric["error"] not in found.setdefault(metric["type"], []):
                found[metric["type"]].append(metric["error"])
    return {name: reasons for name, reasons in found.items() if reasons}


def print_failures(reports: Sequence[Mapping[str, Any]]) -> None:
    """Say which metrics of the reports of one sweep have no figure and why."""
    for name, reasons in failures(reports).items():
        for reason in reasons:
            said = reason.removeprefix(f"{name}: ")
            say(f"no figure of {name}: {said}")


def without_figures(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the metrics that have no figure in any of the reports of one sweep."""
    failed = [{row["type"] for row in report["metrics"] if "error" in row} for report in reports]
    done = {row["type"] for report in reports for row in report["metrics"] if "error" not in row}
    return [
        name for name in dict.fromkeys(name for names in failed for name in sorted(names)) if name not in done
    ]


def print_costs(report: Mapping[str, Any]) -> None:
    """Show seconds, extra memory and settings of every metric of one evaluation's report."""
    table = Table(title="cost", title_justify="left")
    for heading in ("part", "seconds", "extra MB", "settings"):
        table.add_column(heading, justify="left" if heading in ("part", "settings") else "right")
    for metric in report["metrics"]:
        cost = metric["cost"]
        settings = ", ".join(f"{key}={value}" for key, value in metric["settings"].items())
        table.add_row(
            metric["type"],
            f"{cost['seconds']:.1f}",
            f"{cost['peak_extra_megabytes']:.0f}",
            Text(on_screen(settings)),
        )
    table.add_row("extraction", f"{report['extractor']['seconds']:.1f}", "", "")
    Console().print(table)


def zoo_row(name: str, data: str, figures: Mapping[str, float], images: int, sha256: str) -> str:
    """Return a row of a table with the columns :data:`ZOO_COLUMNS`; absent figures stay empty."""
    accuracy = figures.get("conditional_accuracy")
    cells = (
        f"`{name}`",
        data,
        *(f"{figures[key]:.2f}" if key in figures else "" for key in ("fid", "inception_score")),
        "" if accuracy is None else f"{100 * accuracy:.2f} %",
        f"{images:,}",
        f"`{sha256[:12]}`",
    )
    return f"| {' | '.join(cells)} |"


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` as JSON, atomically; a number that is not finite becomes null.

    Raises:
        OSError: the file cannot be written.
    """
    text = json.dumps(_finite(content), indent=2, allow_nan=False) + "\n"
    write_file(path, text)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(element) for key, element in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(element) for element in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
