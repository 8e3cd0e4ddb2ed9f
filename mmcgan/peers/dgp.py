"""Deep Generative Prior: BigGAN-PyTorch's networks with spare instance norms in the generator."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mmcgan.peers.biggan_pytorch import BIGGAN_PYTORCH
from mmcgan.peers.biggan_pytorch.settings import whole_discriminator, whole_generator
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    register_peer,
)

INSTANCE_NORM = r"blocks\.\d+\.in\d\."
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


class DeepGenerativePriorFormat(PeerFormat):
    """A generator is told from BigGAN-PyTorch's by its instance norms, a discriminator not at all."""

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return the role of a state dict with these keys, or None if it is not of this format."""
        keys = list(keys)
        if not any(re.search(r"\.in[12]\.", key) for key in keys):
            return None
        return super().recognise(keys)


DGP = register_peer(
    DeepGenerativePriorFormat(
        name="dgp",
        peer="dgp",
        accepts=lambda spec: "resolution" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables=BIGGAN_PYTORCH.tables,
        reading=BIGGAN_PYTORCH.reading,
        values=BIGGAN_PYTORCH.values,
        stated=BIGGAN_PYTORCH.stated,
        optional=(INSTANCE_NORM,),
        inputs=BIGGAN_PYTORCH.inputs,
        outputs=BIGGAN_PYTORCH.outputs,
    )
)
