"""Omni-INR-GAN: BigGAN-PyTorch's generator with an implicit output layer, Omni-GAN's discriminator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from mmcgan.peers.biggan_pytorch.settings import whole_generator
from mmcgan.peers.omnigan import OMNIGAN, WRITING, describe_players
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    Settings,
    Spec,
    Table,
    UnsupportedSetting,
    register_peer,
)

#: The published class and its ablations.
CLASSES: dict[str, dict[str, Any]] = {
    "Generator": {},
    "Generator_no_cell": {"cell": "none"},
    "Generator_no_coord": {"coordinates": False},
    "Generator_no_unfold": {"kernel": 1},
}
#: What the published class has.
ORDINARY: dict[str, Any] = {"kernel": 3, "cell": "relative", "coordinates": True}
#: The layers of the small network alternate with activations in the peer's list.
IMPLICIT: Table = tuple((f"^inr_net.layers.{2 * index}", f"^implicit.layers.{index}") for index in range(16))


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    hidden = list(settings.take("hidden_list", []))
    name = str(spec.get("class_name", "Generator"))
    if name not in CLASSES:
        raise UnsupportedSetting(f"class {name!r} is not supported, only {list(CLASSES)}")
    config = whole_generator(spec, settings)
    del config["output_batch_norm"]
    return {**config, "implicit": {**ORDINARY, "hidden": hidden, **CLASSES[name]}}


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what one of the generator's classes, or ``Discriminator``, is called with.

    Raises:
        ValueError: the implicit layer is none of theirs.
    """
    described = describe_players(role, config, network)
    if role == DISCRIMINATOR:
        return described
    own = {"hidden": [], "kernel": 3, "cell": "native", "coordinates": True, **(config["implicit"] or {})}
    hidden = list(own.pop("hidden"))
    own.pop("spectral_norm", None)
    names = [name for name, changes in CLASSES.items() if {**ORDINARY, **changes} == own]
    if not names:
        raise ValueError(f"no class of its generators has implicit={own}; they have {CLASSES}")
    settings = {**described["constructor_kwargs"], "hidden_list": hidden}
    return {**described, "class_name": names[0], "constructor_kwargs": settings}


OMNI_INR = register_peer(
    replace(
        OMNIGAN,
        name="omni_inr",
        peer="omni_inr",
        configs={GENERATOR: _generator, DISCRIMINATOR: OMNIGAN.configs[DISCRIMINATOR]},
        tables={**OMNIGAN.tables, GENERATOR: (*IMPLICIT, *OMNIGAN.tables[GENERATOR])},
        writing=replace(WRITING, describe=_describe),
        inputs={"z": "latent", "image": "image", "label": "label"},
    )
)
