"""Names and values of MMagic's StyleGAN2."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mmcgan.models.style_table import BOTTOM_SIZE as BOTTOM
from mmcgan.peers.stylegan2_ada import MAPPING
from mmcgan.peers.translation import Table, Values, scalar


class MappingFromZero:
    """The peer counts mapping layers from 1, unless a label is embedded in front of them."""

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with mapping layers counted from 0."""
        found = [int(match[1]) for key in keys if (match := re.match(r"style_mapping\.(\d+)\.", key))]
        return [_counted(key, -min(found, default=0)) for key in keys]

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys with mapping layers counted as the peer does."""
        return [_counted(key, 0 if any(key.startswith("embed.") for key in keys) else 1) for key in keys]


def _counted(key: str, by: int) -> str:
    found = re.match(r"style_mapping\.(\d+)\.(.*)", key)
    return f"style_mapping.{int(found[1]) + by}.{found[2]}" if found else key


class BlocksBySize:
    """The peer numbers the discriminator's blocks from the largest map on; the first entry is no block."""

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with ``size<N>`` in the place of numbers, ``size<N>.0`` for the first."""
        numbers = [int(found[1]) for key in keys if (found := re.match(r"convs\.(\d+)\.", key))]
        return [self._named(key, max(numbers, default=0)) for key in keys]

    def _named(self, key: str, last: int) -> str:
        found = re.match(r"convs\.(\d+)\.(.*)", key)
        if not found:
            return key
        size = BOTTOM << (last + 1 - max(1, int(found[1])))
        return f"size{size}.{'0.' if found[1] == '0' else ''}{found[2]}"

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys with the peer's numbers."""
        sizes = [int(found[1]) for key in keys if (found := re.match(r"size(\d+)\.", key))]
        return [self._numbered(key, max(sizes, default=BOTTOM)) for key in keys]

    def _numbered(self, key: str, largest: int) -> str:
        found = re.match(r"size(\d+)\.(0\.)?(.*)", key)
        if not found:
            return key
        number = 0 if found[2] else (largest // int(found[1])).bit_length()
        return f"convs.{number}.{found[3]}"


def _sizes(pattern: str, replacement: str, count: int = 9) -> Table:
    """Return rows that turn the peer's index of a size above the bottom into that size."""
    rows = []
    for index in range(count):
        places = {"even": 2 * index, "odd": 2 * index + 1, "next": 2 * index + 2, "index": index}
        rows.append((pattern.format(**places), replacement.format(size=2 * BOTTOM << index)))
    return tuple(rows)


CONVOLUTIONS = ("conv1", "convs.{i}")
STYLED = (*CONVOLUTIONS, "to_rgb1", "to_rgbs.{i}")
GENERATOR_TABLE: Table = (
    ("kernel$", None),
    MappingFromZero(),
    *((f"^{part}.linear.weight_orig$", f"^{part}.weight$") for part in ("embed", "style_mapping.{i}")),
    ("style_modulation.linear.weight_orig$", "style_modulation.weight$"),
    ("conv.style_modulation", "style"),
    *((f"^{part}.conv.weight_orig$", f"^{part}.weight$") for part in STYLED),
    *((f"^{part}.activate.bias$", f"^{part}.bias$") for part in CONVOLUTIONS),
    ("noise_injector.weight$", "noise_strength$"),
    ("^w_avg$", "^mean_style$"),
    ("^embed", "^mapping.label"),
    ("^style_mapping", "^mapping.layers"),
    ("^constant_input.input$", "^constant$"),
    ("^conv1", "^blocks.4.conv1"),
    ("^to_rgb1", "^blocks.4.to_rgb"),
    *_sizes("^convs.{even}", "^blocks.{size}.conv0"),
    *_sizes("^convs.{odd}", "^blocks.{size}.conv1"),
    *_sizes("^to_rgbs.{index}", "^blocks.{size}.to_rgb"),
    ("^injected_noise_0$", "^blocks.4.conv1.noise$"),
    *_sizes("^injected_noise_{odd}$", "^blocks.{size}.conv0.noise$"),
    *_sizes("^injected_noise_{next}$", "^blocks.{size}.conv1.noise$"),
)
DISCRIMINATOR_TABLE: Table = (
    ("kernel$", None),
    BlocksBySize(),
    ("^size{s}.0.0.conv.weight_orig$", "^backbone.from_rgb.{s}.weight$"),
    ("^size{s}.0.1.bias$", "^backbone.from_rgb.{s}.bias$"),
    ("^size{s}.conv1.0.conv.weight_orig$", "^backbone.blocks.{s}.conv0.weight$"),
    ("^size{s}.conv1.1.bias$", "^backbone.blocks.{s}.conv0.bias$"),
    ("^size{s}.conv2.1.conv.weight_orig$", "^backbone.blocks.{s}.conv1.weight$"),
    ("^size{s}.conv2.2.bias$", "^backbone.blocks.{s}.conv1.bias$"),
    ("^size{s}.skip.1.conv.weight_orig$", "^backbone.blocks.{s}.shortcut.weight$"),
    ("^final_conv.0.conv.weight_orig$", "^backbone.last_conv.weight$"),
    ("^final_conv.1.bias$", "^backbone.last_conv.bias$"),
    ("^final_linear.{i}.linear.weight_orig$", "^final_linear.{i}.weight$"),
    ("^final_linear.0", "^backbone.last_linear"),
    ("^final_linear.1", "^heads.adv.linear"),
    *MAPPING,
    ("^mapping", "^heads.adv.mapping"),
)
#: Axes of length 1 that ours lack.
VALUES = (
    scalar(r"noise_injector\.weight$"),
    Values(
        r"^(constant_input\.input|(conv1|convs\.\d+|to_rgb1|to_rgbs\.\d+)\.conv\.weight_orig)$",
        lambda value: value[0],
        lambda value: value[None],
    ),
    Values(r"^injected_noise_\d+$", lambda value: value[0, 0], lambda value: value[None, None]),
    Values(
        r"^(to_rgb1|to_rgbs\.\d+)\.bias$",
        lambda value: value.flatten(),
        lambda value: value[None, :, None, None],
    ),
)
