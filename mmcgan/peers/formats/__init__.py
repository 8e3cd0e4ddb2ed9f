"""Settings and weights of other codebases, translated into ours.

``PEERS`` maps a format's name to a :class:`PeerFormat`; a module of this package adds one by
calling :func:`register_peer` (every module here is imported). Typical use::

    fmt = peer_format(peer, spec)            # spec: the JSON of a golden case
    network = fmt.network(spec, state)       # PeerNetwork; .module is ours, with the weights loaded
    outputs = network.call({"z": z, "y": y}) # the peer's input names -> the peer's output names
    network.gradients(), network.state()     # by the peer's keys
    config = fmt.generator_config(spec)      # or fmt.discriminator_config: what a config file holds
    ours = fmt.convert_state(state, "generator")

Settings without a counterpart raise :class:`UnsupportedSetting`; they are never ignored.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable

from mmcgan.peers.formats.format import (
    AJBROCK_SPECTRAL,
    DISCRIMINATOR,
    GENERATOR,
    TORCH_SPECTRAL,
    PeerFormat,
    PeerNetwork,
    Settings,
    Spec,
    UnsupportedSetting,
)

PEERS: dict[str, PeerFormat] = {}


def register_peer(peer: PeerFormat) -> PeerFormat:
    """Add a format to ``PEERS``.

    Raises:
        ValueError: the name is taken.
    """
    if peer.name in PEERS:
        raise ValueError(f"peer format {peer.name!r} is registered twice")
    PEERS[peer.name] = peer
    return peer


def peer_format(peer: str, spec: Spec) -> PeerFormat:
    """Return the format of a network description.

    Args:
        peer: the peer's canonical name, e.g. ``biggan_pytorch``.
        spec: constructor settings and what surrounds them, as in a golden case's JSON.

    Raises:
        UnsupportedSetting: no format of this peer knows such a network.
    """
    for candidate in PEERS.values():
        if candidate.peer == peer and candidate.accepts(spec):
            return candidate
    raise UnsupportedSetting(f"no loader for this network of {peer!r}; loaders: {sorted(PEERS)}")


def recognise(keys: Iterable[str]) -> list[tuple[PeerFormat, str]]:
    """Return the formats, with role, that a state dict with these keys may have."""
    keys = list(keys)
    found = ((peer, peer.recognise(keys)) for peer in PEERS.values())
    return [(peer, role) for peer, role in found if role is not None]


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "AJBROCK_SPECTRAL",
    "DISCRIMINATOR",
    "GENERATOR",
    "PEERS",
    "TORCH_SPECTRAL",
    "PeerFormat",
    "PeerNetwork",
    "Settings",
    "UnsupportedSetting",
    "peer_format",
    "recognise",
    "register_peer",
]
