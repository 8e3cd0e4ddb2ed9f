"""Pictures of repeated evaluations: figures over truncation or scale of latents, and FID over IS."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.output_paths import EVALUATIONS, drawn_by

Entries = Sequence[Mapping[str, Any]]
TRADE_OFF = ("inception_score", "fid")
# where a sweep's evaluation without truncation is drawn on the axis of thresholds
OPEN_END = 1.25


def draw_evaluations(models: Mapping[str, Entries], out: Path, keys: Sequence[str] = ()) -> None:
    """Write a picture (PNG, PDF or SVG, by its name) of evaluations.

    It has a panel per figure over the truncation (over the scale of latents, if only that changes) and, if
    both are there, one of FID over IS.

    Args:
        models: name -> entries of ``report["sweep"]``.
        out: the picture.
        keys: figures; by default FID, Inception Score, conditional accuracy, precision and recall, as far as
            all models have them.

    Raises:
        ValueError: a figure that a model does not have, or nothing to draw.
    """
    keys = list(keys) or _common(models)
    for name, entries in models.items():
        missing = [key for key in keys if any(key not in entry["summary"] for entry in entries)]
        if missing:
            raise ValueError(f"{name} has no figures {missing}; it has {list(entries[0]['summary'])}")
    if not keys:
        raise ValueError("no figure is common to all evaluations; name some")
    from matplotlib.figure import Figure  # slow to import, and only wanted here

    trade_off = all(key in keys for key in TRADE_OFF) and any(len(entries) > 1 for entries in models.values())
    panels = len(keys) + trade_off
    figure = Figure(figsize=(4.2 * panels, 3.4), layout="constrained")
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    for axis, key in zip(axes, keys, strict=False):
        _draw_over_truncation(axis, models, key)
    if trade_off:
        _draw_trade_off(axes[-1], models)
    axes[0].legend(fontsize=8)
    picture = io.BytesIO()
    kind = out.suffix[1:].lower() or "png"
    figure.savefig(picture, format=kind, dpi=110, metadata=drawn_by(EVALUATIONS, kind))
    write_file(out, picture.getvalue())


def _common(models: Mapping[str, Entries]) -> list[str]:
    wanted = ("fid", "inception_score", "conditional_accuracy", "precision", "recall")
    summaries = [entry["summary"] for entries in models.values() for entry in entries]
    return [key for key in wanted if all(key in summary for summary in summaries)]


def _over_scales(entries: Entries) -> bool:
    """Return whether entries differ in the scale of latents alone."""
    values = [{entry.get(key) for entry in entries} for key in ("latent_scale", "truncation")]
    return len(values[0]) > 1 and len(values[1]) == 1


def _places(entries: Entries) -> list[float]:
    if _over_scales(entries):
        return [1.0 if entry["latent_scale"] is None else entry["latent_scale"] for entry in entries]
    thresholds = [entry["truncation"] for entry in entries]
    largest = max((value for value in thresholds if value is not None), default=1.0)
    return [largest * OPEN_END if value is None else value for value in thresholds]


def _draw_over_truncation(axis: Any, models: Mapping[str, Entries], key: str) -> None:
    for name, entries in models.items():
        values = [entry["summary"][key] for entry in entries]
        means, errors = ([value[part] for value in values] for part in ("mean", "std"))
        axis.errorbar(_places(entries), means, yerr=errors, marker="o", markersize=3, capsize=2, label=name)
    scales = all(_over_scales(entries) for entries in models.values())
    axis.set(xlabel="scale of latents" if scales else "truncation threshold (rightmost: none)", title=key)
    axis.grid(alpha=0.3)


def _draw_trade_off(axis: Any, models: Mapping[str, Entries]) -> None:
    score, distance = TRADE_OFF
    for name, entries in models.items():
        x, y = ([entry["summary"][key]["mean"] for entry in entries] for key in (score, distance))
        axis.plot(x, y, marker="o", markersize=3, label=name)
        for entry, place in zip(entries, zip(x, y, strict=True), strict=True):
            axis.annotate(_short(entry), place, fontsize=6, xytext=(3, 3), textcoords="offset points")
    axis.set(xlabel="inception_score", ylabel="fid", title="trade-off (numbers: threshold or scale)")
    axis.grid(alpha=0.3)


def _short(entry: Mapping[str, Any]) -> str:
    if entry.get("latent_scale") is not None:
        return f"x {entry['latent_scale']:g}"
    return "none" if entry["truncation"] is None else f"{entry['truncation']:g}"
