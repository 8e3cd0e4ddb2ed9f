"""MMagic's (formerly MMGeneration's) BigGAN-deep, also as converted from the published weights."""

from __future__ import annotations

from typing import Any

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.format import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    Table,
    UnsupportedSetting,
)
from mmcgan.peers.formats.mmagic_biggan import (
    DISCRIMINATOR_ATTENTION,
    DISCRIMINATOR_TABLE,
    GENERATOR_ATTENTION,
    GENERATOR_TABLE,
    NEAREST,
    activation_settings,
    init_settings,
    output_norm_settings,
    present,
    role_of,
    spectral,
    type_of,
)

DEEP: Table = (
    (r"\.conv([34])\.conv\.", r".conv\1."),
    (r"^input_conv\.conv\.", "backbone.input_conv."),
)


def _ends(stages: list[int], depth: int) -> list[int]:
    return [(stage + 1) * depth - 1 for stage in stages]


def _constructor(spec: Spec) -> Settings:
    settings = Settings(spec["constructor"])
    settings.ignore("type", "auto_sync_bn", "pretrained", "rgb2bgr", "rgb_to_bgr")
    if settings.take("arch_cfg", None):
        raise UnsupportedSetting("arch_cfg of BigGAN-deep is not supported")
    return settings


def _generator(spec: Spec) -> Config:
    settings = _constructor(spec)
    settings.require("out_channels", 3)
    settings.require("upsample_cfg", NEAREST)
    settings.require("blocks_cfg", {"type": "BigGANDeepGenResBlock"})
    size, depth = settings.take("output_scale"), settings.take("block_depth", 2)
    shared, concatenated = settings.take("with_shared_embedding", True), settings.take("concat_noise", True)
    if concatenated and not shared:
        raise UnsupportedSetting("concat_noise needs with_shared_embedding, as in the peer")
    config: dict[str, Any] = {
        "type": "BigGANDeepGenerator",
        "image_size": size,
        "num_classes": settings.take("num_classes", 0),
        "base_channels": settings.take("base_channels", 96),
        "latent_dim": settings.take("noise_size", 120),
        "bottom_size": settings.take("input_scale", 4),
        "shared_embedding": shared,
        "shared_dim": settings.take("shared_dim", 128),
        "depth": depth,
        "attention_blocks": _ends(GENERATOR_ATTENTION.get(size, []), depth),
        "latent_first": True,
        "concatenate_latent": concatenated,
        "bottom_channels_last": True,
        "activation_name": activation_settings(settings)[0],
        "spectral_norm": spectral(settings),
        "output_batch_norm": output_norm_settings(settings),
        "init": init_settings(settings),
    }
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings = _constructor(spec)
    settings.require("in_channels", 3)
    settings.require("out_channels", 1)
    settings.require("blocks_cfg", {"type": "BigGANDeepDiscResBlock"})
    size, depth = settings.take("input_scale"), settings.take("block_depth", 2)
    classes = settings.take("num_classes", 0)
    activation, in_place = activation_settings(settings)
    norm = spectral(settings)
    backbone = {
        "type": "BigGANDeepBackbone",
        "image_size": size,
        "base_channels": settings.take("base_channels", 96),
        "depth": depth,
        "attention_blocks": _ends(DISCRIMINATOR_ATTENTION.get(size, []), depth),
        "activation_name": activation,
        "activated_shortcut": in_place,
        "spectral_norm": norm,
        "init": init_settings(settings),
    }
    settings.finish()
    head: dict[str, Any] = {"type": "AdversarialHead", "spectral_norm": norm}
    if classes:
        head = {"type": "ProjectionHead", "num_classes": classes, "spectral_norm": norm}
    return {"backbone": backbone, "heads": {"adv": head}}


MMAGIC_BIGGAN_DEEP = register_peer(
    PeerFormat(
        name="mmagic_biggan_deep",
        peer="mmagic",
        accepts=lambda spec: type_of(spec) in ("BigGANDeepGenerator", "BigGANDeepDiscriminator"),
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={GENERATOR: (*DEEP, *GENERATOR_TABLE), DISCRIMINATOR: (*DEEP, *DISCRIMINATOR_TABLE)},
        slots=r"conv_blocks\.(\d+)\.gamma$",
        inputs={"z": "latent", "x": "image", "y": "label"},
        outputs={"": "adv.logit"},
        present=present,
    )
)
