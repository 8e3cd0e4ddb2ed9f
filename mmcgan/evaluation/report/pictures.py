"""Pictures of repeated evaluations: figures over truncation or scale of latents, and FID over IS."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.output_paths import EVALUATIONS, drawn_by

Entries = Sequence[Mapping[str, Any]]
TRADE_OFF = ("inception_score", "fid")
# where a sweep's evaluation without truncation is drawn on the axis of thresholds
OPEN_END = 1.25
AXES = {"truncation": "truncation threshold (rightmost: none)", "latent_scale": "scale of latents"}
NAMES = {"truncation": "truncation {:g}", "latent_scale": "latents x {:g}"}


@dataclass(frozen=True)
class Curve:
    """Evaluations that differ in what the axis shows alone.

    Attributes:
        name: in the legend.
        places: on the axis, ascending.
        entries: of ``report["sweep"]``, in that order.
    """

    name: str
    places: Sequence[float]
    entries: Entries


def draw_evaluations(models: Mapping[str, Entries], out: Path, keys: Sequence[str] = ()) -> None:
    """Write a picture (PNG, PDF or SVG, by its name) of evaluations.

    It has a panel per figure over the truncation (over the scale of latents, if only that changes) and, if
    both are there, one of FID over IS. Where both change, each scale of a model has a curve of its own.

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
    over = _axis_of(models)
    curves = _curves(models, over)
    for axis, key in zip(axes, keys, strict=False):
        _draw_over(axis, curves, key, over)
    if trade_off:
        _draw_trade_off(axes[-1], curves, over)
    axes[0].legend(fontsize=8)
    picture = io.BytesIO()
    kind = out.suffix[1:].lower() or "png"
    figure.savefig(picture, format=kind, dpi=110, metadata=drawn_by(EVALUATIONS, kind))
    write_file(out, picture.getvalue())


def _common(models: Mapping[str, Entries]) -> list[str]:
    wanted = ("fid", "inception_score", "conditional_accuracy", "precision", "recall")
    summaries = [entry["summary"] for entries in models.values() for entry in entries]
    return [key for key in wanted if all(key in summary for summary in summaries)]


def _axis_of(models: Mapping[str, Entries]) -> str:
    """Return what the panels are drawn over: the scale of latents where only that changes in the models."""
    several = {"truncation": False, "latent_scale": False}
    for entries in models.values():
        for swept in several:
            several[swept] |= len({entry.get(swept) for entry in entries}) > 1
    return "latent_scale" if several["latent_scale"] and not several["truncation"] else "truncation"


def _curves(models: Mapping[str, Entries], over: str) -> list[Curve]:
    """Return a curve for each model and each value of what the axis does not show, from left to right."""
    thresholds = [entry["truncation"] for entries in models.values() for entry in entries]
    open_end = OPEN_END * max((value for value in thresholds if value is not None), default=1.0)
    absent = {"truncation": open_end, "latent_scale": 1.0}[over]
    (other,) = {"truncation", "latent_scale"} - {over}
    curves: dict[tuple[str, Any], list[tuple[float, Mapping[str, Any]]]] = {}
    for name, entries in models.items():
        for entry in entries:
            place = absent if entry.get(over) is None else entry[over]
            curves.setdefault((name, entry.get(other)), []).append((place, entry))
    return [
        Curve(name if fixed is None else f"{name}, {NAMES[other].format(fixed)}", *_in_order(points))
        for (name, fixed), points in curves.items()
    ]


def _in_order(points: list[tuple[float, Mapping[str, Any]]]) -> tuple[list[float], list[Mapping[str, Any]]]:
    ordered = sorted(points, key=lambda point: point[0])
    return [place for place, _ in ordered], [entry for _, entry in ordered]


def _draw_over(axis: Any, curves: Sequence[Curve], key: str, over: str) -> None:
    for curve in curves:
        values = [entry["summary"][key] for entry in curve.entries]
        means, errors = ([value[part] for value in values] for part in ("mean", "std"))
        shape = {"marker": "o", "markersize": 3, "capsize": 2}
        axis.errorbar(curve.places, means, yerr=errors, label=curve.name, **shape)
    axis.set(xlabel=AXES[over], title=key)
    axis.grid(alpha=0.3)


def _draw_trade_off(axis: Any, curves: Sequence[Curve], over: str) -> None:
    score, distance = TRADE_OFF
    for curve in curves:
        x, y = ([entry["summary"][key]["mean"] for entry in curve.entries] for key in (score, distance))
        axis.plot(x, y, marker="o", markersize=3, label=curve.name)
        for entry, place in zip(curve.entries, zip(x, y, strict=True), strict=True):
            axis.annotate(_short(entry, over), place, fontsize=6, xytext=(3, 3), textcoords="offset points")
    axis.set(xlabel="inception_score", ylabel="fid", title="trade-off (numbers: threshold, x scale)")
    axis.grid(alpha=0.3)


def _short(entry: Mapping[str, Any], over: str) -> str:
    """Return what the axis shows of a point and whatever else was set."""
    texts = {"truncation": "{:g}", "latent_scale": "x {:g}"}
    unset = {"truncation": "none", "latent_scale": "own scale"}
    values = {name: entry.get(name) for name in texts}
    shown = {name: value for name, value in values.items() if value is not None or name == over}
    return ", ".join(
        unset[name] if value is None else texts[name].format(value) for name, value in shown.items()
    )
