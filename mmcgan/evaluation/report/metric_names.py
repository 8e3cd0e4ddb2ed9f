"""Short names of metrics, for command lines and protocols."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from mmcgan.registry import GENERATION_METRICS, nearest

METRIC_NAMES: dict[str, dict[str, Any]] = {
    "fid": dict(type="FID"),
    "kid": dict(type="KID"),
    "is": dict(type="InceptionScore"),
    "is10": dict(type="InceptionScore", splits=10),
    "accuracy": dict(type="ConditionalAccuracy"),
    "attribute-accuracy": dict(type="AttributeAccuracy"),
    "modes": dict(type="ModeCoverage"),
    "accuracy5": dict(type="ConditionalAccuracy", top_k=5),
    "intra-fid": dict(type="IntraFID"),
    "stratified-fid": dict(type="StratifiedFID"),
    "spatial-fid": dict(type="SpatialFID"),
    "fid-infinity": dict(type="FIDInfinity"),
    "sajjadi": dict(type="SajjadiPrecisionRecall"),
    "precision-recall": dict(type="PrecisionRecall", max_images=10_000),
    "prdc": dict(type="PRDC", max_images=10_000),  # the number of Naeem et al. 2020
    "cas": dict(type="ClassificationAccuracyScore"),
    "memorization": dict(type="Memorization"),
    "lpips": dict(type="LPIPSDiversity"),
    "ms-ssim": dict(type="MSSSIM"),
    "swd": dict(type="SWD"),
    "miou": dict(type="MIoU"),
}
WHOLE_SUITE = "all"


def available_names() -> list[str]:
    """Return the short names whose metric this installation has."""
    known = GENERATION_METRICS.names()
    return [name for name, config in METRIC_NAMES.items() if config["type"] in known]


def metric_configs(
    names: Sequence[str], has_logits: bool = True, has_labels: bool = True, images: int | None = None
) -> list[dict[str, Any]]:
    """Return configs of metrics for short names; ``all`` is every one that its needs allow.

    Args:
        names: keys of :data:`METRIC_NAMES`, with settings if wanted, as ``kid:subset_size=100,subsets=50``;
            or ``all``.
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
            possible = [name for name in METRIC_NAMES if _possible(name, has_logits, has_labels)]
            enough = [name for name in possible if images is None or images >= MINIMUM.get(name, 0)]
            chosen += [METRIC_NAMES[name] for name in enough]
        elif name in available_names():
            if not settings and images is not None and images < MINIMUM.get(name, 0):
                raise ValueError(
                    f"metric {name!r} needs at least {MINIMUM[name]:,} generated images, there will be "
                    f"{images:,}"
                )
            chosen.append({**METRIC_NAMES[name], **settings})
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
        kind: Any = GENERATION_METRICS.get(METRIC_NAMES[name]["type"])
        allowed = [key for key in inspect.signature(kind).parameters if key != "self"]
        for key in settings:
            if key not in allowed:
                raise ValueError(f"metric {name!r} has no setting {key!r}.{nearest(key, allowed)}")
    return settings


# what the whole suite leaves out: variants of what it has, what needs weights or special data, and what
# takes minutes by itself
LEFT_OUT = (
    "is10",
    "accuracy5",
    "attribute-accuracy",
    "lpips",
    "spatial-fid",
    "stratified-fid",
    "cas",
    "swd",
    "miou",
)
# generated images that a metric's defaults need
MINIMUM = {"fid-infinity": 5001, "kid": 1000}


def _possible(name: str, has_logits: bool, has_labels: bool) -> bool:
    if name in LEFT_OUT or name not in available_names():
        return False
    metric: Any = GENERATION_METRICS.get(METRIC_NAMES[name]["type"])
    return (has_logits or not metric.needs_logits) and (has_labels or not metric.needs_labels)
