"""ic_gan's BigGAN branch: BigGAN conditioned on labels, instance features, or both."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import nn

from mmcgan.models.generators import BigGANGenerator
from mmcgan.peers.biggan_pytorch import BIGGAN_PYTORCH, reading
from mmcgan.peers.biggan_pytorch.names import counters
from mmcgan.peers.biggan_pytorch.settings import backbone_settings, describe, whole_generator
from mmcgan.peers.reading import generators
from mmcgan.peers.translation import DISCRIMINATOR, GENERATOR, Config, Settings, Spec, State, register_peer

#: Length of the features that the peer's generator can embed; fixed there.
FEATURE_DIM = 2048


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    settings.require("G_depth", 1)
    by_class, by_instance = settings.take("class_cond", True), settings.take("instance_cond", False)
    embedded = settings.take("G_shared_feat", True)
    feature_dim = settings.take("shared_dim_feat", FEATURE_DIM)
    config = whole_generator(spec, settings)
    # unlike in BigGAN-PyTorch, cross_replica stands for torch's own batch norm
    for norm in ("batch_norm", "output_batch_norm"):
        config[norm].pop("add_gain", None)
    if not by_class:
        config["num_classes"] = 0
    if by_instance:
        config["instance_dim"] = FEATURE_DIM if embedded else feature_dim
        config["instance_embedding_dim"] = feature_dim if embedded else 0
    return config


def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    settings.require("D_depth", 1)
    classes, features = settings.take("n_classes", 1000), settings.take("instance_sz", FEATURE_DIM)
    backbone = backbone_settings(spec, settings)
    sizes = {
        "num_classes": classes if settings.take("class_cond", True) else 0,
        "instance_dim": features if settings.take("instance_cond", False) else 0,
    }
    settings.finish()
    kind = (
        {"type": "ConditionProjectionHead", **sizes} if any(sizes.values()) else {"type": "AdversarialHead"}
    )
    head = {**kind, "spectral_norm": backbone["spectral_norm"]}
    return {"backbone": backbone, "heads": {"adv": head}}


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``Generator`` or ``Discriminator`` is called with for a network of ours."""
    settings = describe(role, config, network)["constructor_kwargs"]
    classes = settings["n_classes"]
    parts = [config] if role == GENERATOR else list(config["heads"].values())
    features = max(int(part.get("instance_dim") or 0) for part in parts)
    settings |= {"class_cond": bool(classes), "instance_cond": bool(features), "n_classes": classes or 1}
    if role == DISCRIMINATOR:
        return {"constructor_kwargs": {**settings, **({"instance_sz": features} if features else {})}}
    if not classes:
        # a table that nobody looks at
        settings |= {"G_shared": True, "shared_dim": 1}
    if features:
        embedded = network.state_dict().get("condition.instance.weight")
        length = features if embedded is None else len(embedded)
        settings |= {"G_shared_feat": embedded is not None, "shared_dim_feat": length}
    else:
        settings["G_shared_feat"] = False
    return {"constructor_kwargs": settings}


def _class_table(state: State, network: nn.Module) -> State:
    """Return the table of classes, which the peer has even where labels are not used."""
    found = counters(state, network)
    if isinstance(network, BigGANGenerator) and "shared.weight" not in state and not network.per_class:
        found["shared.weight"] = torch.zeros(1, 1)
    return found


assert BIGGAN_PYTORCH.writing is not None
IC_GAN = register_peer(
    replace(
        BIGGAN_PYTORCH,
        name="ic_gan_biggan",
        peer="ic_gan",
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={
            GENERATOR: BIGGAN_PYTORCH.tables[GENERATOR],
            DISCRIMINATOR: (
                *BIGGAN_PYTORCH.tables[DISCRIMINATOR],
                ("^linear_feat", "^heads.adv.instance"),
            ),
        },
        reading=reading(partial(generators.biggan, raw_instances=True)),
        writing=replace(BIGGAN_PYTORCH.writing, describe=_describe, extras=_class_table),
        # the class table is stored even where labels are not used
        optional=(r"condition\.label\.",),
        inputs={"z": "latent", "x": "image", "label": "label", "y": "label", "feats": "instance"},
    )
)
