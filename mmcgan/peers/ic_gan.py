"""ic_gan's BigGAN branch: BigGAN conditioned on labels, instance features, or both."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mmcgan.peers.biggan_pytorch import BIGGAN_PYTORCH, reading
from mmcgan.peers.biggan_pytorch.settings import backbone_settings, whole_generator
from mmcgan.peers.reading import generators
from mmcgan.peers.translation import DISCRIMINATOR, GENERATOR, Config, Settings, Spec, register_peer

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
        writing=None,
        # the class table is stored even where labels are not used
        optional=(r"condition\.label\.",),
        inputs={"z": "latent", "x": "image", "label": "label", "y": "label", "feats": "instance"},
    )
)
