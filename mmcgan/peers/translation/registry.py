"""All formats, by name."""

from __future__ import annotations

from collections.abc import Iterable

from mmcgan.peers.translation.format import PeerFormat
from mmcgan.peers.translation.settings import Spec, UnsupportedSetting, with_values
from mmcgan.plugins import load_plugins

#: In the order of registration, which is the order in which readings are tried: of two readings that are
#: one network the first is kept.
PEERS: dict[str, PeerFormat] = {}


def register_peer(peer: PeerFormat) -> PeerFormat:
    """Add a format to ``PEERS``; a plugin's stands behind ours.

    Raises:
        ValueError: the name is taken.
    """
    if peer.name in PEERS:
        raise ValueError(f"peer format {peer.name!r} is registered twice")
    PEERS[peer.name] = peer
    return peer


def readable_formats() -> dict[str, PeerFormat]:
    """Return the formats that can be told from weights, those of plugins included."""
    load_plugins()
    return {name: form for name, form in PEERS.items() if form.reading is not None}


def writable_formats(peer: str | None = None) -> list[PeerFormat]:
    """Return the formats of a peer, or of all, that networks of ours are written in."""
    load_plugins()
    return [form for form in PEERS.values() if form.writing is not None and peer in (None, form.peer)]


def peer_format(peer: str, spec: Spec) -> PeerFormat:
    """Return the format of a network description.

    Args:
        peer: the peer's canonical name, e.g. ``biggan_pytorch``.
        spec: constructor settings and what surrounds them, as in a golden case's JSON.

    Raises:
        UnsupportedSetting: no format of this peer knows such a network.
    """
    spec = with_values(spec)
    for candidate in PEERS.values():
        if candidate.peer == peer and candidate.accepts(spec):
            return candidate
    raise UnsupportedSetting(f"no loader for this network of {peer!r}; loaders: {sorted(PEERS)}")


def recognise(keys: Iterable[str]) -> list[tuple[PeerFormat, str]]:
    """Return the formats, with role, that a state dict with these keys may have."""
    keys = list(keys)
    found = ((peer, peer.recognise(keys)) for peer in PEERS.values())
    return [(peer, role) for peer, role in found if role is not None]
