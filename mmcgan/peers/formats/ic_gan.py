"""ic_gan's BigGAN branch: BigGAN conditioned on labels, instance features, or both."""

from __future__ import annotations

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import (
    DISCRIMINATOR_TABLE,
    GENERATOR_TABLE,
    backbone_settings,
    generator_settings,
    is_biggan,
    role_of,
)
from mmcgan.peers.formats.format import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    Table,
)

#: Length of the features that the peer's generator can embed; fixed there.
FEATURE_DIM = 2048

GENERATOR_KEYS: Table = (
    # Unlike BigGAN-PyTorch, cross_replica stands for torch's own batch norm here.
    (r"^output_layer\.0\.bn\.(weight|bias)$", r"output_norm.norm.\1"),
    *GENERATOR_TABLE,
)
DISCRIMINATOR_KEYS: Table = ((r"^linear_feat\.", "heads.adv.instance."), *DISCRIMINATOR_TABLE)


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    settings.require("G_depth", 1)
    by_class, by_instance = settings.take("class_cond", True), settings.take("instance_cond", False)
    embedded = settings.take("G_shared_feat", True)
    feature_dim = settings.take("shared_dim_feat", FEATURE_DIM)
    config = generator_settings(spec, settings)
    settings.finish()
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
    PeerFormat(
        name="ic_gan_biggan",
        peer="ic_gan",
        accepts=is_biggan,
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_KEYS, DISCRIMINATOR: DISCRIMINATOR_KEYS},
        # The class table is stored even where labels are not used.
        optional=(r"condition\.label\.",),
        inputs={"z": "latent", "x": "image", "label": "label", "y": "label", "feats": "instance"},
        outputs={"": "adv.logit"},
    )
)
