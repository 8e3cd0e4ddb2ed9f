"""``mmcgan list``: the shipped models."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from mmcgan.text_files import say

#: settings of a generator that say what it is asked for, and how it is said of a size above 0
SIZES = {
    "num_classes": "{:,} classes",
    "instance_dim": "instances",
    "num_map_classes": "label maps of {:,} classes",
}


def declare(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments."""


def run(arguments: argparse.Namespace) -> None:
    """Print the shipped models with their classes and figures."""
    from mmcgan.weights import read_index

    records = read_index("generator")
    for name, record in records.items():
        figures = ", ".join(f"{key} {value:.4g}" for key, value in record["metrics"].items())
        size = record["generator"].get("image_size", "?")
        say(f"{name}: {size} x {size}, {asked_of(record)}, {record['images_seen']:,} images seen; {figures}")
    if not records:
        say("no models are shipped with this installation")


def asked_of(record: Mapping[str, Any]) -> str:
    """Return what a shipped generator is conditioned on."""
    settings = record["generator"]
    groups = settings.get("attribute_groups")
    found = [said.format(settings[name]) for name, said in SIZES.items() if settings.get(name)]
    if groups:
        found.append("attributes " + " x ".join(groups))
    if not found and record["classes"]:  # of a generator with settings of its own
        found.append(f"{len(record['classes']):,} classes")
    return " and ".join(found) or "no classes"
