"""Omni-GAN-PyTorch: BigGAN-PyTorch's networks with shorter names of settings and C+2 scores."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mmcgan.peers.biggan_pytorch import reading
from mmcgan.peers.biggan_pytorch.names import BLOCKS, GENERATOR_TABLE, counters, names_facts
from mmcgan.peers.biggan_pytorch.settings import backbone_settings, describe, stated, whole_generator
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    OWN,
    ROW_VECTORS,
    Config,
    PeerFormat,
    Settings,
    Spec,
    State,
    Table,
    UnsupportedSetting,
    Writing,
    below,
    register_peer,
)
from mmcgan.peers.writing.files import one_file_each
from mmcgan.structures import Condition

DISCRIMINATOR_TABLE: Table = (
    *BLOCKS,
    *below("backbone", "blocks", "attention"),
    *below("heads.omni", "linear"),
)
SHORT = ("ch", "attn", "init", "wide", "param", "activation")
#: The activation's word, by BigGAN-PyTorch's name of it.
WORDS = {"nl": "activation"}
KWARGS = "constructor_kwargs"
KINDS = {GENERATOR: "network/G", DISCRIMINATOR: "network/D"}


def role_of(spec: Spec) -> str:
    """Read the player from the kind, ``network/G`` or ``network/D``."""
    return GENERATOR if str(spec["kind"]).endswith("/G") else DISCRIMINATOR


def _settings(spec: Spec, player: str) -> Settings:
    """Return the settings under BigGAN-PyTorch's names."""
    values = dict(spec["constructor_kwargs"])
    return Settings({f"{player}_{name}" if name in SHORT else name: value for name, value in values.items()})


def _generator(spec: Spec) -> Config:
    return whole_generator(spec, _settings(spec, "G"))


def _discriminator(spec: Spec) -> Config:
    settings = _settings(spec, "D")
    scores = settings.take("n_classes", 1000) + 2
    scores = settings.take("output_dim", None) or scores
    backbone = backbone_settings(spec, settings)
    settings.finish()
    if scores == 2:
        raise UnsupportedSetting("output_dim=2: an omni head has a class, real and fake at least")
    head: Config = {"type": "OmniHead", "num_classes": scores - 2}
    if scores == 1:  # a plain discriminator
        head = {"type": "AdversarialHead"}
    return {"backbone": backbone, "heads": {"omni": {**head, "spectral_norm": backbone["spectral_norm"]}}}


def describe_players(role: str, config: Config, network: nn.Module) -> Config:
    """Return what the peers' networks are called with, under BigGAN-PyTorch's names."""
    described = describe(role, config, network)["constructor_kwargs"]
    head = config.get("heads", {}).get("omni", {})
    if role == DISCRIMINATOR and head.get("type") == "AdversarialHead":
        described["output_dim"] = 1
    return {"kind": KINDS[role], "constructor_kwargs": described}


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``Generator`` or ``Discriminator`` is called with for a network of ours."""
    whole = describe_players(role, config, network)
    player = "G_" if role == GENERATOR else "D_"
    bare = {name: (name.removeprefix(player) if name.startswith(player) else "") for name in whole[KWARGS]}
    names = {name: WORDS.get(short, short) for name, short in bare.items()}
    short = {names[k] if names[k] in SHORT else k: value for k, value in whole[KWARGS].items()}
    return {**whole, KWARGS: short}


class OmniFormat(PeerFormat):
    """The vector of scores may have a single entry, of which our head makes a logit."""

    def discriminate(
        self, module: nn.Module, image: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> State:
        """Return the outputs by our names, a logit (N,) as scores (N, 1)."""
        outputs = super().discriminate(module, image, condition, inputs)
        if "omni.logit" in outputs:
            outputs = {**outputs, "omni.score": outputs["omni.logit"][:, None]}
        return outputs


WRITING = Writing(("BigGANGenerator", "BigGANBackbone"), _describe, one_file_each, OWN, names_facts, counters)
OMNIGAN = register_peer(
    OmniFormat(
        name="omnigan",
        peer="omnigan",
        accepts=lambda spec: "resolution" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=reading(),
        writing=WRITING,
        values=(ROW_VECTORS,),
        stated=stated,
        inputs={"z": "latent", "image": "image", "x": "image", "label": "label", "y": "label"},
        outputs={"": "omni.score"},
    )
)
