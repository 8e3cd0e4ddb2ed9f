"""Which files hold exported networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcgan.peers.translation.sides import Exported

#: Stands beside the weights: what the peer's constructors are called with, by the network's name, and the
#: name of our format, by which the weights are read again.
SETTINGS_FILE = "settings.json"


def one_file_each(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    """Return ``G_ema.pth``, ``G.pth`` and ``D.pth``, each a bare state dict."""
    return {f"{name}.pth": exported.state for name, exported in exports.items()}
