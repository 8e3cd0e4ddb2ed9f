"""Names of BigGAN-PyTorch's weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from mmcgan.peers.translation import AJBROCK_SPECTRAL, DISCRIMINATOR, GENERATOR, Config, State, Table, below

#: Where batch norms keep their statistics: in the layer itself, below it (``mybn``), or in torch's layer
#: below it (``cross_replica``).
STORED, STORED_BELOW, TORCHS = (("statistics", kind) for kind in ("stored", "mybn", "cross_replica"))
#: The last batch norm has gain and bias of its own, not those of torch's layer below it (IC-GAN).
OWN_GAIN = ("output_gain", "own")

BLOCKS: Table = (
    ("^blocks.{i}.1", "^attention.{i}"),
    ("^blocks.{i}.0", "^blocks.{i}"),
    ("conv_sc", "shortcut"),
    ("theta", "query"),
    ("phi", "key"),
    ("^attention.{i}.g", "^attention.{i}.value"),
    ("^attention.{i}.o", "^attention.{i}.output"),
    *AJBROCK_SPECTRAL,
)
GENERATOR_TABLE: Table = (
    ("accumulation_counter", None),
    (None, "num_batches_tracked", STORED),
    (None, "num_batches_tracked", STORED_BELOW),
    ("^shared", "^condition.label"),
    ("^shared_feat", "^condition.instance"),
    ("^output_layer.0", "^output_norm"),
    ("^output_layer.2", "^output_conv"),
    ("bn{i}", "norm{i}"),
    ("bn", "norm"),
    *((f"norm.stored_{what}", f"norm.running_{what}", STORED_BELOW) for what in ("mean", "var")),
    *((f"stored_{what}", f"norm.running_{what}", STORED) for what in ("mean", "var")),
    ("^output_norm.gain", "^output_norm.norm.weight", OWN_GAIN),
    ("^output_norm.bias", "^output_norm.norm.bias", OWN_GAIN),
    *BLOCKS,
)
DISCRIMINATOR_TABLE: Table = (
    *BLOCKS,
    *below("backbone", "blocks", "attention"),
    *below("heads.adv", "linear", "embed"),
)
TABLES: Mapping[str, Table] = {GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE}


class NestedStages:
    """BigGAN-deep's discriminator nests its blocks in their stage, attention last: flattened here."""

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with blocks counted through, each beside the attention behind it."""
        found = [match for key in keys if (match := re.match(r"blocks\.(\d+)\.(\d+)\.conv1\.", key))]
        if not found or "input_conv.weight" not in keys:
            return list(keys)
        return [self._flat(key, max(int(match[2]) for match in found) + 1) for key in keys]

    def _flat(self, key: str, depth: int) -> str:
        found = re.match(r"blocks\.(\d+)\.(\d+)\.(.*)", key)
        if not found:
            return key
        stage, position = int(found[1]), int(found[2])
        index = stage * depth + min(position, depth - 1)
        return f"blocks.{index}.{int(position == depth)}.{found[3]}"

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys with blocks in their stages of ``facts["depth"]`` blocks."""
        return [self._nested(key, facts["depth"]) for key in keys]

    def _nested(self, key: str, depth: int) -> str:
        found = re.match(r"blocks\.(\d+)\.(\d)\.(.*)", key)
        if not found:
            return key
        stage, position = divmod(int(found[1]), depth)
        return f"blocks.{stage}.{depth if int(found[2]) else position}.{found[3]}"


def names_facts(config: Config) -> Mapping[str, Any]:
    """Return what decides names: the kind of batch norm, and the depth of stages."""
    options = config.get("batch_norm") or {}
    kind = TORCHS if options.get("add_gain") else STORED_BELOW if options.get("biased_variance") else STORED
    return dict((kind, OWN_GAIN)) | {"depth": int(config.get("backbone", {}).get("depth", 2))}


def counters(state: State, network: nn.Module) -> State:
    """Return the counters that the peer's ``mybn`` keeps, at their start."""
    means = [key for key in state if key.endswith(".bn.stored_mean")]
    return {key.replace("stored_mean", "accumulation_counter"): torch.zeros(1) for key in means}
