"""Looking at a state dict by the names and shapes of our networks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from mmcgan.plain_values import plain

Config = dict[str, Any]
Shape = tuple[int, ...]
#: What the user or the file says, by the name of our setting.
Given = Mapping[str, Any]
#: Channels in units of the base, by image size.
Widths = Mapping[int, tuple[int, ...]]
#: Initialisation of weights that are replaced: the fastest one.
LOADED = "default"

#: How a message begins that asks for a setting without which nothing can be built.
UNSEEN = "weights do not show"


class MisfitError(ValueError):
    """Weights are not those of the network they are taken for; says why."""


class Shapes:
    """Shapes of a state dict that was renamed to ours.

    Args:
        state: our names -> tensors.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.shapes: dict[str, Shape] = {key: tuple(value.shape) for key, value in state.items()}

    def __contains__(self, key: str) -> bool:
        return key in self.shapes

    def __getitem__(self, key: str) -> Shape:
        """Return the shape of ``key``.

        Raises:
            MisfitError: it is missing.
        """
        if key not in self.shapes:
            raise MisfitError(f"{key} is missing")
        return self.shapes[key]

    def get(self, key: str) -> Shape | None:
        """Return the shape of ``key``, or None."""
        return self.shapes.get(key)

    def below(self, prefix: str) -> Shapes:
        """Return what lies under ``prefix``, which is cut off."""
        kept = Shapes({})
        kept.shapes = {k[len(prefix) :]: v for k, v in self.shapes.items() if k.startswith(prefix)}
        return kept

    def indices(self, prefix: str) -> list[int]:
        """Return the numbers N of all keys ``<prefix>.N.…``, sorted."""
        pattern = re.compile(rf"{re.escape(prefix)}\.(\d+)\.")
        return sorted({int(found[1]) for key in self.shapes if (found := pattern.match(key))})

    def blocks(self, prefix: str = "blocks") -> int:
        """Return the number of blocks, which are numbered from 0 without a gap.

        Raises:
            MisfitError: there is none.
        """
        found = self.indices(prefix)
        count = next((index for index, number in enumerate(found) if index != number), len(found))
        if not count:
            raise MisfitError(f"{prefix}.0 is missing")
        return count

    def spectral(self, layer: str) -> Config | None:
        """Return what the buffers of ``layer`` say about its spectral norm; None without any."""
        count = sum(f"{layer}.spectral.u{index}" in self for index in range(16))
        if not count:
            return None
        if f"{layer}.spectral.v0" in self:  # torch's hook keeps both vectors
            return {"iterate_in_eval": False}
        return {"singular_values": count} if count > 1 else {}


def side(rows: int, channels: int) -> int:
    """Return the height of the square map that ``rows`` values in ``channels`` channels make.

    Raises:
        MisfitError: they make none.
    """
    area, rest = divmod(rows, channels)
    length = math.isqrt(area)
    if rest or length * length != area or not length:
        raise MisfitError(f"{rows} outputs do not make a square map of {channels} channels")
    return length


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the settings of a config by dotted path; empty dictionaries have none."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        path = f"{prefix}{key}"
        found |= flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: plain(value)}
    return found


def merge(config: Mapping[str, Any], habits: Mapping[str, Any]) -> Config:
    """Return ``config`` completed by ``habits``; what ``config`` says, None included, stays."""
    merged: Config = dict(config)
    for key, value in habits.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key, {}), Mapping):
            merged[key] = merge(merged.get(key, {}), value)
        else:
            merged.setdefault(key, value)
    return merged


def one_of(values: Iterable[Any], what: str) -> Any:
    """Return the one value of ``values``.

    Raises:
        MisfitError: they differ.
    """
    found = list(dict.fromkeys(values))
    if len(found) != 1:
        raise MisfitError(f"{what} is {found}, not one value")
    return found[0]


def is_published(config: Config, tables: Sequence[Widths]) -> bool:
    """Return whether the channels of a network are in one of the tables of its image size."""
    widths = config["channels"]
    rows = [table[config["image_size"]] for table in tables if config["image_size"] in table]
    return any(
        len(row) == len(widths) and all(w * row[0] == widths[0] * t for w, t in zip(widths, row, strict=True))
        for row in rows
    )
