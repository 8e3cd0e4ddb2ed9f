"""The reading that settings beside the weights state, as ``convert --to`` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcgan.peers.reading.completing import accepts, with_settings
from mmcgan.peers.reading.fitting import Fit, compare, select
from mmcgan.peers.reading.shapes import MisfitError, flatten
from mmcgan.peers.reading.sources import Found
from mmcgan.peers.translation.registry import readable_formats
from mmcgan.peers.writing.files import SETTINGS_FILE
from mmcgan.text_files import read_json

NETWORKS = ("G_ema", "G", "D")


def described_fit(network: Found, name: str | None, wishes: Mapping[str, Any]) -> Fit | None:
    """Return the reading of a network by the settings that :data:`SETTINGS_FILE` beside it holds.

    Args:
        network: of a source.
        name: the format that the user names, if any; other formats are not looked at.
        wishes: settings of the user, which take precedence.

    Returns:
        The reading with the fewest faults, whose settings are all of the file or the user's; None where there
        is no such file, or none that describes a network.
    """
    specs = (network.described.get(player) for player in NETWORKS)
    known = [spec for spec in specs if isinstance(spec, Mapping) and name in (None, spec.get("format"))]
    fits = [fit for spec in known if (fit := _fit(network, spec, wishes)) is not None]
    return min(fits, key=lambda fit: fit.faults, default=None)


def _fit(network: Found, described: Mapping[str, Any], wishes: Mapping[str, Any]) -> Fit | None:
    form = readable_formats().get(str(described.get("format")))
    if form is None:
        return None
    spec = {key: value for key, value in described.items() if key != "format"}
    try:
        role = form.role_of(spec)
        config = form.read(spec)
        given = {path: value for path, value in select(wishes, role).items() if accepts(config, path)}
        config = with_settings(json.loads(json.dumps(config)), given)
        weights = form.convert_state(network.state, role)
        origin = dict.fromkeys(flatten(config), "file") | dict.fromkeys(given, "given")
        return compare(form, role, config, origin, network.state, weights)
    except (MisfitError, ValueError, TypeError, KeyError, AttributeError):
        return None  # a file of somebody else's: the weights have to say it all


def described_beside(path: Path) -> dict[str, Any]:
    """Return what lies beside a checkpoint, or in its folder; empty for nothing that can be read."""
    file = (path if path.is_dir() else path.parent) / SETTINGS_FILE
    if not file.is_file():
        return {}
    try:
        return dict(read_json(file, "settings of a network"))
    except (ValueError, OSError):
        return {}
