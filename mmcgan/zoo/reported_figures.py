"""The figures of a report of ``mmcgan test`` that belong to a checkpoint and a width of its latents."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.hashing import file_hash
from mmcgan.text_files import content_of, read_json

WHAT = "a report of mmcgan test"


def reported_figures(report: Path, checkpoint: Path, scale: float | None) -> dict[str, float]:
    """Return the means over seeds of a report's figures without truncation.

    Args:
        report: what ``mmcgan test CONFIG CHECKPOINT --json REPORT`` wrote.
        checkpoint: that it has to be of.
        scale: of the latents; None for those of the checkpoint.

    Raises:
        FileNotFoundError: no such report.
        ValueError: no report, one of another checkpoint, one without that scale, or figures that are not
            finite.
    """
    read = read_json(report, WHAT)
    with content_of(report, WHAT):
        evaluated, entries = str(read["checkpoint_sha256"]), list(read["sweep"])
        found = {
            entry.get("latent_scale"): {
                str(name): _finite(name, value["mean"]) for name, value in entry["summary"].items()
            }
            for entry in entries
            if entry["truncation"] is None
        }
    if evaluated != file_hash(checkpoint):
        raise ValueError(f"{report} is of another checkpoint than {checkpoint} (SHA-256 {evaluated[:8]}...)")
    if scale not in found:
        kinds = ", ".join("as trained" if key is None else f"{key:g}" for key in found) or "none"
        asked = "latents as trained" if scale is None else f"latents x {scale:g}"
        raise ValueError(f"{report} has no evaluation without truncation with {asked}; it has {kinds}")
    return found[scale]


def _finite(name: str, mean: Any) -> float:
    if not math.isfinite(float(mean)):
        raise ValueError(f"{name} is {float(mean)}, no finite number")
    return float(mean)
