"""MMEngine's message hub as plain data, and its histories kept short."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer, MessageHub

from mmcgan.checkpoints.files import to_plain

KEPT = 1000  # values per scalar: smoothing windows are far shorter
TRIM_AT = 20 * KEPT  # MMEngine copies the whole history at each update


def hub_to_plain(hub: MessageHub) -> dict[str, Any]:
    """Return scalars (the last values of each) and plain runtime information of ``hub``."""
    info = {}
    for key, value in hub.runtime_info.items():
        if key == "cfg":
            continue  # a checkpoint's meta has it
        try:
            info[key] = to_plain(value, key)
        except TypeError:
            continue  # live objects are put there again by whoever owns them
    scalars = {}
    for key, buffer in hub.log_scalars.items():
        values, counts = buffer.data
        scalars[key] = {"values": values[-KEPT:].tolist(), "counts": counts[-KEPT:].tolist()}
    return {"scalars": scalars, "info": info}


def hub_from_plain(hub: MessageHub, state: dict[str, Any]) -> None:
    """Restore :func:`hub_to_plain` into ``hub``."""
    for key, history in state["scalars"].items():
        hub.log_scalars[key] = HistoryBuffer(history["values"], history["counts"])
    hub.update_info_dict(state["info"])


def trim_histories(hub: MessageHub) -> None:
    """Shorten histories that have become slow to append to."""
    for key, buffer in hub.log_scalars.items():
        values, counts = buffer.data
        if len(values) > TRIM_AT:
            hub.log_scalars[key] = HistoryBuffer(np.array(values[-KEPT:]), np.array(counts[-KEPT:]))
