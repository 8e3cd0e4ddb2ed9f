"""``mmcgan list``: the shipped models."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments."""


def run(arguments: argparse.Namespace) -> None:
    """Print the shipped models with their classes and figures."""
    from mmcgan.weights import read_index

    records = read_index("generator")
    for name, record in records.items():
        figures = ", ".join(f"{key} {value:.4g}" for key, value in record["metrics"].items())
        size = record["generator"].get("image_size", "?")
        say(f"{name}: {size} x {size}, {asked_of(record)}, {record['images_seen']} images seen; {figures}")
    if not records:
        say("no models are shipped with this installation")


def asked_of(record: Mapping[str, Any]) -> str:
    """Return what a shipped generator is conditioned on."""
    groups = record["generator"].get("attribute_groups")
    if not groups:
        return f"{len(record['classes'] or ()) or 'no'} classes"
    return "attributes " + " x ".join(groups)
