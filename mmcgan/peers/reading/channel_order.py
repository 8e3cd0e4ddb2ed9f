"""Weights trained on BGR images, made to work on RGB."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

State = dict[str, Tensor]
ORDERS = ("rgb", "bgr")
COLOURS = 3
#: Last layers of generators and first ones of backbones, by our names.
OUTPUTS = re.compile(
    r"(generator\.)?(output_conv|blocks\.\d+\.to_rgb|implicit\.layers\.LAST)\.(weight|bias|spectral\.u\d)$"
)
INPUTS = re.compile(
    r"backbone\.(blocks\.0\.(conv1|shortcut)|input_conv|from_rgb\.\d+)\.(weight|spectral\.v\d)$"
)


def to_rgb(state: Mapping[str, Tensor], order: str) -> State:
    """Return weights whose colours are in the order red, green, blue.

    Args:
        state: weights by our names, of a generator or a discriminator.
        order: in which the images are that they were trained on: ``rgb`` or ``bgr``.

    Raises:
        ValueError: another order.
    """
    if order not in ORDERS:
        raise ValueError(f"channel_order must be one of {ORDERS}, got {order!r}")
    if order == "rgb":
        return dict(state)
    layers = [int(found[1]) for key in state if (found := re.match(r".*implicit\.layers\.(\d+)\.", key))]
    last = re.compile(OUTPUTS.pattern.replace("LAST", str(max(layers, default=0))))
    return {key: _swapped(key, value, last) for key, value in state.items()}


def _swapped(key: str, value: Tensor, last: re.Pattern[str]) -> Tensor:
    if last.match(key):
        return value[:COLOURS].flip(0) if len(value) == COLOURS else _first_three(value)
    if INPUTS.match(key) and ".spectral.v" in key:
        return value.reshape(COLOURS, -1).flip(0).flatten()
    if INPUTS.match(key) and value.dim() > 1 and value.shape[1] == COLOURS:
        return value.flip(1)
    return value


def _first_three(value: Tensor) -> Tensor:
    """Swap the first and third of more filters than colours (the published BigGAN-deep)."""
    order = [2, 1, 0, *range(COLOURS, len(value))]
    return value[order]
