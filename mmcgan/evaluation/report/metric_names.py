"""Short names of metrics, for command lines and protocols."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from mmcgan.registry import GENERATION_METRICS
from mmcgan.suggestions import nearest

WHOLE_SUITE = "all"


def metric_names() -> dict[str, dict[str, Any]]:
    """Return the config of every short name that a registered metric declares; of two alike, ours."""
    found: dict[str, dict[str, Any]] = {}
    for name, kind in GENERATION_METRICS.named().items():
        for short, settings in kind.short_names.items():
            found.setdefault(short, {"type": name, **settings})
    return found


def available_names() -> list[str]:
    """Return the short names that the metrics of this installation declare."""
    return list(metric_names())


def _metric(name: str) -> Any:
    """Return the class behind a short name."""
    return GENERATION_METRICS.require(metric_names()[name]["type"])


def metric_configs(
    names: Sequence[str], has_logits: bool = True, has_labels: bool = True, images: int | None = None
) -> list[dict[str, Any]]:
    """Return configs of metrics for short names; ``all`` is every one that its needs allow.

    Args:
        names: short names, see :func:`metric_names`, with settings if wanted, as
            ``kid:subset_size=100,subsets=50``; or ``all``.
        has_logits, has_labels: whether the extractor classifies, whether images are asked for by label.
        images: how many generated images there will be; ``all`` leaves out what needs more.

    Raises:
        ValueError: an unknown name or setting, with others suggested; or a metric that needs more images.
    """
    chosen: list[dict[str, Any]] = []
    for text in names:
        name, _, written = text.partition(":")
        settings = _settings(text, written)
        if name == WHOLE_SUITE:
            possible = [name for name in available_names() if _possible(name, has_logits, has_labels)]
            enough = [name for name in possible if images is None or images >= _metric(name).minimum]
            chosen += [metric_names()[name] for name in enough]
        elif name in available_names():
            if not settings and images is not None and images < _metric(name).minimum:
                raise ValueError(
                    f"metric {name!r} needs at least {_metric(name).minimum:,} generated images, "
                    f"there will be {images:,}; or give it other settings ({name}:key=number)"
                )
            chosen.append({**metric_names()[name], **settings})
        else:
            hint = nearest(name, [*available_names(), WHOLE_SUITE])
            raise ValueError(f"no metric {name!r}.{hint}")
    found = [dict(config) for i, config in enumerate(chosen) if config not in chosen[:i]]
    if len([config for config in found if config["type"] == "InceptionScore"]) > 1:
        for config in found:
            if config["type"] == "InceptionScore" and config.get("splits", 1) > 1:
                config["name"] = f"inception_score_{config['splits']}_splits"
    return found


def _settings(text: str, written: str) -> dict[str, Any]:
    """Return the settings behind the name of a metric.

    Raises:
        ValueError: not ``key=number``, or one that the metric does not have.
    """
    settings: dict[str, Any] = {}
    for part in filter(None, written.split(",")):
        key, separator, value = part.partition("=")
        try:
            settings[key] = float(value) if {".", "e"} & set(value) else int(value)
        except ValueError as error:
            raise ValueError(f"metric {text!r}: write NAME:key=number,key=number") from error
        if not separator:
            raise ValueError(f"metric {text!r}: write NAME:key=number,key=number")
    name = text.partition(":")[0]
    if settings and name not in available_names():
        raise ValueError(f"no metric {name!r} that takes settings.{nearest(name, available_names())}")
    if settings:
        kind = _metric(name)
        allowed = [key for key in inspect.signature(kind).parameters if key != "self"]
        for key in settings:
            if key not in allowed:
                raise ValueError(f"metric {name!r} has no setting {key!r}.{nearest(key, allowed)}")
    return settings


def _possible(name: str, has_logits: bool, has_labels: bool) -> bool:
    metric = _metric(name)
    needs = (has_logits or not metric.needs_logits) and (has_labels or not metric.needs_labels)
    return name in metric.suite and needs
