"""Omni-INR-GAN: BigGAN-PyTorch's generator with an implicit output layer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import generator_settings
from mmcgan.peers.formats.format import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    Settings,
    Spec,
    UnsupportedSetting,
)
from mmcgan.peers.formats.omnigan import DISCRIMINATOR_TABLE, OMNIGAN, OmniFormat, role_of

#: The published class and its ablations.
CLASSES: dict[str, dict[str, Any]] = {
    "Generator": {},
    "Generator_no_cell": {"cell": "none"},
    "Generator_no_coord": {"coordinates": False},
    "Generator_no_unfold": {"kernel": 1},
}


class ImplicitFormat(OmniFormat):
    """The layers of the small network alternate with activations in the peer's list."""

    def key_map(self, keys: Iterable[str], role: str) -> dict[str, str]:
        """Return our key for every key of the peer that is kept."""
        found = super().key_map(keys, role)
        return {theirs: _halved(ours) for theirs, ours in found.items()}


def _halved(key: str) -> str:
    found = re.match(r"implicit\.layers\.(\d+)\.(.*)", key)
    return f"implicit.layers.{int(found[1]) // 2}.{found[2]}" if found else key


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    hidden = list(settings.take("hidden_list", []))
    name = str(spec.get("class_name", "Generator"))
    if name not in CLASSES:
        raise UnsupportedSetting(f"class {name!r} is not supported, only {list(CLASSES)}")
    config = generator_settings(spec, settings)
    settings.finish()
    del config["output_batch_norm"]
    return {**config, "implicit": {"hidden": hidden, "cell": "relative", **CLASSES[name]}}


OMNI_INR = register_peer(
    ImplicitFormat(
        name="omni_inr",
        peer="omni_inr",
        accepts=lambda spec: "resolution" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=OMNIGAN.discriminator_config,
        tables={
            GENERATOR: ((r"^inr_net\.", "implicit."), *OMNIGAN.tables[GENERATOR]),
            DISCRIMINATOR: DISCRIMINATOR_TABLE,
        },
        inputs={"z": "latent", "image": "image", "label": "label"},
        outputs={"": "omni.score"},
    )
)
