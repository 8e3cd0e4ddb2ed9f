"""Tables and the picture of ``benchmarks/icgan.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icgan_evaluation import GROUPS, SIZES

COLUMNS = {
    "fid": "FID",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
GROUPED = {
    "fid": "FID",
    **{f"fid_{name}": f"FID {name}" for name in GROUPS},
    "conditional_accuracy": "accuracy",
}
TABLES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "Unconditional against IC-GAN": (
        {
            "unconditional": "unconditional BigGAN",
            "icgan-kmeans": "IC-GAN, 1,000 instances (k-means)",
            "icgan-all": "IC-GAN, all instances",
        },
        COLUMNS,
    ),
    "Which instances are asked for": (
        {f"{kind}{size}": f"{size}, {kind}" for size in SIZES for kind in ("kmeans", "random")},
        COLUMNS,
    ),
    "Size of the neighbourhood": (
        {"k5": "k = 5", "all-kmeans": "k = 50", "k500": "k = 500"},
        COLUMNS,
    ),
    "Stored instances in training": (
        {"1000-kmeans": "trained with 1,000 instances", "all-kmeans": "trained with all"},
        COLUMNS,
    ),
    "Long tail": ({"tail-biggan": "BigGAN", "tail-icgan": "class-conditional IC-GAN"}, GROUPED),
    "Classes never seen": (
        {
            "transfer-seen": "seen instances, against seen classes",
            "transfer-unseen": "unseen instances, against unseen classes",
            "seen-as-unseen": "seen instances, against unseen classes",
        },
        COLUMNS,
    ),
}


def read(out: Path, name: str) -> dict[str, Any] | None:
    path = out / "evaluations" / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def table(out: Path, rows: Mapping[str, str], columns: Mapping[str, str]) -> str:
    """Return a Markdown table of what is evaluated."""
    lines = [f"| | iterations | {' | '.join(columns.values())} |", "|---" * (len(columns) + 2) + "|"]
    for name, title in rows.items():
        found = read(out, name)
        if found is not None:
            cells = " | ".join(f"{found['figures'][key]:.3g}" for key in columns)
            lines.append(f"| {title} | {found['iterations']} | {cells} |")
    return "\n".join(lines) + "\n"


def selection_picture(out: Path) -> None:
    """Draw FID and recall over the number of instances, as the paper's Figure 4."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    for kind in ("kmeans", "random"):
        found = [read(out, f"{kind}{size}") for size in SIZES]
        if all(found):
            for axis, key in zip(axes, ("fid", "recall"), strict=True):
                axis.plot(SIZES, [f["figures"][key] for f in found if f], "-o", label=kind, markersize=4)
    for axis, title in zip(axes, ("FID", "recall"), strict=True):
        axis.set(xscale="log", xlabel="instances asked for", title=title, xticks=SIZES, xticklabels=SIZES)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.savefig(out / "selection.png", dpi=100)


def report(out: Path) -> None:
    """Write ``tables.md`` and ``selection.png``."""
    parts = [f"### {title}\n\n{table(out, *content)}" for title, content in TABLES.items()]
    (out / "tables.md").write_text("\n".join(parts))
    selection_picture(out)
    print("\n".join(parts))
