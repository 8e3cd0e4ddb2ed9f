"""Short names of metrics, for command lines and protocols."""

from __future__ import annotations

import inspect
import math
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


def metric_configs(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return configs of metrics for short names.

    ``all`` is the whole suite, whatever can be computed: the evaluator says of each metric why it has no
    figure, see :func:`asks_for_suite`. A metric of the suite that is also named has the settings given there.

    Args:
        names: short names, see :func:`metric_names`, with settings if wanted, as
            ``kid:subset_size=100,subsets=50``; or ``all``.

    Raises:
        ValueError: an unknown name or setting, with others suggested.
    """
    named: dict[str, tuple[dict[str, Any], ...]] = {}
    for text in names:
        name, _, written = text.partition(":")
        settings = _settings(text, written)
        if name == WHOLE_SUITE:
            suite = [member for member in available_names() if member in _metric(member).suite]
            named = {**dict.fromkeys(suite, ()), **named}
        elif name in available_names():
            named[name] = (*named.get(name, ()), {**metric_names()[name], **settings})
        else:
            hint = nearest(name, [*available_names(), WHOLE_SUITE])
            raise ValueError(f"no metric {name!r}.{hint}")
    chosen = [config for name, given in named.items() for config in given or (metric_names()[name],)]
    found = [dict(config) for i, config in enumerate(chosen) if config not in chosen[:i]]
    if len([config for config in found if config["type"] == "InceptionScore"]) > 1:
        for config in found:
            if config["type"] == "InceptionScore" and config.get("splits", 1) > 1:
                config["name"] = f"inception_score_{config['splits']}_splits"
    return found


def asks_for_suite(names: Sequence[str]) -> bool:
    """Return whether ``all`` is among short names: what is impossible then has a row that says why."""
    return WHOLE_SUITE in names


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
        parameters = inspect.signature(kind).parameters
        allowed = [key for key in parameters if key != "self"]
        for key in settings:
            if key not in allowed:
                raise ValueError(f"metric {name!r} has no setting {key!r}.{nearest(key, allowed)}")
            settings[key] = _in_type(settings[key], str(parameters[key].annotation), f"{name}:{key}")
    return settings


def _in_type(value: float, annotation: str, where: str) -> float | int:
    """Return a number as the parameter takes it: whole, where it takes no others.

    Raises:
        ValueError: a fraction where only whole numbers are allowed, or no finite number.
    """
    if not math.isfinite(value):
        raise ValueError(f"{where} must be a finite number, got {value}")
    if "float" in annotation or "int" not in annotation:
        return value
    if value != int(value):
        raise ValueError(f"{where} must be a whole number, got {value}")
    return int(value)
