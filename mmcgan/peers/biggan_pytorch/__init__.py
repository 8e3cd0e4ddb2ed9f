"""BigGAN-PyTorch: BigGAN, BigGAN-deep, and the networks it calls SAGAN and SNGAN, which share the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from mmcgan.peers.biggan_pytorch import settings
from mmcgan.peers.biggan_pytorch.names import (
    DISCRIMINATOR_TABLE,
    GENERATOR_TABLE,
    TABLES,
    NestedStages,
    counters,
    names_facts,
)
from mmcgan.peers.reading import backbones, deep_generators, generators
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    OWN,
    ROW_VECTORS,
    Config,
    PeerFormat,
    Reading,
    Spec,
    Writing,
    below,
    register_peer,
    residual_reading,
)
from mmcgan.peers.writing.files import one_file_each


# --- what weights say -----------------------------------------------------------------------------
def batch_norm_layer(state: Mapping[str, Tensor]) -> Config:
    """Tell the three batch norms apart by the names of their statistics."""
    if any(key.endswith(".bn.stored_mean") for key in state):
        return {name: {"biased_variance": True} for name in ("batch_norm", "output_batch_norm")}
    return {}


def cross_replica(state: Mapping[str, Tensor]) -> list[Config]:
    """Return both ways in which the cross-replica batch norm uses its gain.

    On one device its code adds the gain where it should multiply by it.
    """
    plain = any(key.endswith(".gain") for key in state)
    if not plain or not any(key.endswith(".bn.running_mean") for key in state):
        return [{}]
    names = ("batch_norm.add_gain", "output_batch_norm.add_gain")
    return [dict.fromkeys(names, value) for value in (True, False)]


def reading(generator: Any = generators.biggan, backbone: Any = backbones.biggan) -> Reading:
    """Return how networks of this code and its descendants are read from their weights."""
    norm = {"eps": 1e-6, "iterations": 1}
    return residual_reading(
        generator, backbone, norm, 1e-5, evidence=batch_norm_layer, choices_generator=cross_replica
    )


# --- the formats ----------------------------------------------------------------------------------
def role_of(spec: Spec) -> str:
    """Tell the players apart by the prefix of their settings."""
    names = spec["constructor_kwargs"]
    generator = any(name.startswith("G_") or name in ("dim_z", "hier", "shared_dim") for name in names)
    return GENERATOR if generator else DISCRIMINATOR


def _is_deep(settings: Mapping[str, Any]) -> bool:
    return any(key.endswith("_depth") and value != 1 for key, value in settings.items())


def accepts(spec: Spec, deep: bool = False) -> bool:
    """Return whether a description is of a BigGAN, or of a BigGAN-deep."""
    settings = spec.get("constructor_kwargs", {})
    return "resolution" in settings and _is_deep(settings) == deep


BIGGAN_PYTORCH = register_peer(
    PeerFormat(
        name="biggan_pytorch",
        peer="biggan_pytorch",
        accepts=accepts,
        role_of=role_of,
        configs={GENERATOR: settings.plain_generator, DISCRIMINATOR: settings.plain_discriminator},
        tables=TABLES,
        reading=reading(),
        writing=Writing(
            ("BigGANGenerator", "BigGANBackbone"),
            settings.describe,
            one_file_each,
            OWN,
            names_facts,
            counters,
        ),
        values=(ROW_VECTORS,),
        stated=settings.stated,
        inputs={"z": "latent", "x": "image", "y": "label"},
        outputs={"": "adv.logit"},
    )
)
assert BIGGAN_PYTORCH.writing is not None
BIGGAN_PYTORCH_DEEP = register_peer(
    replace(
        BIGGAN_PYTORCH,
        name="biggan_pytorch_deep",
        accepts=partial(accepts, deep=True),
        configs={GENERATOR: settings.deep_generator, DISCRIMINATOR: settings.deep_discriminator},
        tables={
            GENERATOR: GENERATOR_TABLE,
            DISCRIMINATOR: (NestedStages(), *below("backbone", "input_conv"), *DISCRIMINATOR_TABLE),
        },
        reading=reading(deep_generators.deep, backbones.deep),
        writing=replace(BIGGAN_PYTORCH.writing, kinds=("BigGANDeepGenerator", "BigGANDeepBackbone")),
    )
)
