"""Deep Generative Prior: BigGAN-PyTorch's networks with spare instance norms in the generator."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import nn

from mmcgan.peers.biggan_pytorch import BIGGAN_PYTORCH
from mmcgan.peers.biggan_pytorch.names import counters
from mmcgan.peers.biggan_pytorch.settings import describe, whole_discriminator, whole_generator
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    State,
    register_peer,
)

INSTANCE_NORM = r"blocks\.\d+\.in\d\."
KINDS = {GENERATOR: "network/G", DISCRIMINATOR: "network/D"}
#: Settings of the other network, which each constructor is given too.
GENERATOR_ONLY = ("hier", "dim_z", "shared_dim", "G_shared", "BN_eps", "norm_style")


def _settings(spec: Spec, player: str) -> Settings:
    """Return the settings that ``player`` (G or D) looks at."""
    other = "D_" if player == "G" else "G_"
    given = {k: v for k, v in spec["constructor_kwargs"].items() if not k.startswith(other)}
    if player == "D":
        given = {k: v for k, v in given.items() if k not in GENERATOR_ONLY}
    return Settings(given)


def _generator(spec: Spec) -> Config:
    return whole_generator(spec, _settings(spec, "G"))


def _discriminator(spec: Spec) -> Config:
    return whole_discriminator(spec, _settings(spec, "D"))


def role_of(spec: Spec) -> str:
    """Read the player from the kind: ``network/G`` or ``network/D``."""
    return DISCRIMINATOR if str(spec.get("kind", "")).endswith("/D") else GENERATOR


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``Generator`` or ``Discriminator`` is called with for a network of ours."""
    return {"kind": KINDS[role], **describe(role, config, network)}


def _instance_norms(state: State, network: nn.Module) -> State:
    """Return the generator's instance norms, unused until the peer's own runs set them."""
    found = counters(state, network)
    for key, weight in state.items():
        place = re.fullmatch(r"(blocks\.\d+\.0)\.conv([12])\.weight", key)
        if place and f"{place[1]}.bn1.gain.weight" in state:
            norm, width = f"{place[1]}.in{place[2]}", weight.shape[1]
            found |= {f"{norm}.weight": torch.ones(width), f"{norm}.bias": torch.zeros(width)}
    return found


class DeepGenerativePriorFormat(PeerFormat):
    """A generator is told from BigGAN-PyTorch's by its instance norms, a discriminator not at all."""

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return the role of a state dict with these keys, or None if it is not of this format."""
        keys = list(keys)
        if not any(re.search(r"\.in[12]\.", key) for key in keys):
            return None
        return super().recognise(keys)


assert BIGGAN_PYTORCH.writing is not None
DGP = register_peer(
    DeepGenerativePriorFormat(
        name="dgp",
        peer="dgp",
        accepts=lambda spec: "resolution" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables=BIGGAN_PYTORCH.tables,
        reading=BIGGAN_PYTORCH.reading,
        writing=replace(BIGGAN_PYTORCH.writing, describe=_describe, extras=_instance_norms),
        values=BIGGAN_PYTORCH.values,
        stated=BIGGAN_PYTORCH.stated,
        optional=(INSTANCE_NORM,),
        inputs=BIGGAN_PYTORCH.inputs,
        outputs=BIGGAN_PYTORCH.outputs,
    )
)
