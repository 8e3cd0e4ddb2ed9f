"""Settings and weights of other codebases, translated into ours and back.

Every peer is one module (or package) of this folder. It states the names of weights in a table that is read
in both directions, the settings in both directions, and what weights say by themselves, and registers its
formats with :func:`register_peer`, as a plugin does for a peer of its own (``docs/peers.md``). What peers are
written with is in ``translation``, what all of them are read and written by in ``reading`` and ``writing``::

    form = peer_format(peer, spec)            # spec: what the peer's constructor is called with
    network = form.network(spec, state)       # PeerNetwork; .module is ours, with the weights loaded
    outputs = network.call({"z": z, "y": y})  # the peer's input names -> the peer's output names
    network.gradients(), network.state()      # by the peer's keys
    config = form.read(spec)                  # what a config file holds
    ours = form.convert_state(state, "generator")
    theirs = form.back_state(ours, "generator", {})

Settings without a counterpart raise :class:`UnsupportedSetting`; they are never ignored.
"""

from __future__ import annotations

import importlib
import pkgutil

from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    PEERS,
    PeerFormat,
    PeerNetwork,
    Settings,
    UnsupportedSetting,
    peer_format,
    recognise,
    register_peer,
)

#: What is no peer.
MACHINERY = ("translation", "reading", "writing")

for _module in pkgutil.iter_modules(__path__):
    if _module.name not in MACHINERY:
        importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "DISCRIMINATOR",
    "GENERATOR",
    "PEERS",
    "PeerFormat",
    "PeerNetwork",
    "Settings",
    "UnsupportedSetting",
    "peer_format",
    "recognise",
    "register_peer",
]
