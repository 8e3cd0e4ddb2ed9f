"""Names of SPADE's weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mmcgan.peers.translation import TORCH_SPECTRAL, Table, Within

#: The encoder, whose weights the peer keeps in a file of their own.
ENCODER_PREFIX = "encoder."

BLOCK_TABLE: Table = (
    ("conv_0", "conv1"),
    ("conv_1", "conv2"),
    ("conv_s", "shortcut"),
    ("norm_0", "norm1"),
    ("norm_1", "norm2"),
    ("norm_s", "shortcut_norm"),
    ("mlp_shared.0", "shared"),
    ("mlp_gamma", "gain"),
    *((f"{layer}mlp_beta", f"{layer}bias") for layer in ("^", "norm{i}.", "shortcut_norm.")),
    ("param_free_norm", "norm"),
    *TORCH_SPECTRAL,
)
ENCODER_TABLE: Table = (
    *((f"^layer{index + 1}.0", f"^blocks.{index}") for index in range(6)),
    ("^fc_mu", "^mean"),
    ("^fc_var", "^log_variance"),
    *TORCH_SPECTRAL,
)
GENERATOR_TABLE: Table = (
    Within(ENCODER_PREFIX, ENCODER_TABLE),
    ("^fc", "^stem"),
    ("^conv_img", "^output_conv"),
    ("^head_0", "^blocks.0"),
    ("^G_middle_0", "^blocks.1"),
    ("^G_middle_1", "^blocks.2"),
    *((f"^up_{index}", f"^blocks.{index + 3}") for index in range(5)),
    *BLOCK_TABLE,
)


class ScaleLayers:
    """Layers of one scale: convolutions with a norm are nested, and the last of them is our head."""

    LAYER = re.compile(r"(discriminator_\d+)\.model(\d+)\.0\.(?:(1)\.|0\.)?(.*)")
    OURS = re.compile(r"(discriminator_\d+)\.(conv|norm)(\d+)\.(.*)")

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys as ``discriminator_0.conv1.…``, ``….norm1.…`` and ``….output.…``."""
        numbers = [int(found[1]) for key in keys if (found := re.search(r"\.model(\d+)\.", key))]
        return [self._flat(key, max(numbers, default=0)) for key in keys]

    def _flat(self, key: str, last: int) -> str:
        found = self.LAYER.fullmatch(key)
        if not found:
            return key
        kind = "norm" if found[3] else "conv"
        layer = "output" if int(found[2]) == last else f"{kind}{found[2]}"
        return f"{found[1]}.{layer}.{found[4]}"

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys with all but the first and last convolution nested if ``facts["nested"]``."""
        numbers = [int(found[3]) for key in keys if (found := self.OURS.match(key))]
        output = f".model{max(numbers, default=-1) + 1}.0."
        return [self._nested(key.replace(".output.", output), facts.get("nested", True)) for key in keys]

    def _nested(self, key: str, nested: bool) -> str:
        found = self.OURS.fullmatch(key)
        if not found:
            return key
        below = "1." if found[2] == "norm" else "0." if nested and int(found[3]) else ""
        return f"{found[1]}.model{found[3]}.0.{below}{found[4]}"


DISCRIMINATOR_TABLE: Table = (
    ScaleLayers(),
    ("^discriminator_{i}.output", "^heads.patch_{i}.conv"),
    ("^discriminator_{i}.norm{n}", "^backbone.blocks.{i}.{n}.norm"),
    ("^discriminator_{i}.conv{n}", "^backbone.blocks.{i}.{n}.conv"),
    *TORCH_SPECTRAL,
)
