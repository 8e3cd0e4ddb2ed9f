"""StudioGAN's resnet (its SNGAN, SAGAN, AC-GAN, WGAN-GP ...)."""

from __future__ import annotations

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import translate
from mmcgan.peers.formats.format import DISCRIMINATOR, GENERATOR, Config, Settings, Spec
from mmcgan.peers.formats.studiogan_big_resnet import (
    ACTIVATIONS,
    BATCH_NORM,
    DISCRIMINATOR_TABLE,
    GENERATOR_TABLE,
    IN_PLACE,
    INITS,
    attention_blocks,
    shared_settings,
    spectral,
)
from mmcgan.peers.formats.studiogan_codes import with_codes
from mmcgan.peers.formats.studiogan_heads import OUTPUTS, StudioGANFormat, present, read_heads, role_of


def read_classes(settings: Settings) -> int:
    """Return the number of classes a generator is conditional on: cBN over one-hot labels, or none.

    Raises:
        UnsupportedSetting: another conditioning than ``cBN`` and ``W/O``.
    """
    method = settings.require("g_cond_mtd", "W/O", "cBN")
    classes = settings.take("num_classes", 0)
    return classes if method == "cBN" else 0


def _generator(spec: Spec) -> Config:
    settings = shared_settings(spec)
    settings.ignore("d_act_fn", "apply_d_sn", "g_shared_dim")
    norm = spectral(settings.take("apply_g_sn", False))
    config = {
        "type": "ResNetGenerator",
        "image_size": settings.take("img_size"),
        "num_classes": read_classes(settings),
        "base_channels": settings.take("g_conv_dim"),
        "latent_dim": settings.take("z_dim"),
        "attention_blocks": attention_blocks(settings, "g"),
        "activation_name": translate("g_act_fn", settings.take("g_act_fn", "ReLU"), ACTIVATIONS),
        "spectral_norm": norm,
        "condition_spectral_norm": norm,
        "batch_norm": BATCH_NORM,
        "one_hot": True,
        "init": translate("g_init", settings.take("g_init", "ortho"), INITS),
    }
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings = shared_settings(spec)
    settings.ignore("g_act_fn", "apply_g_sn", "g_cond_mtd")
    norm = spectral(settings.take("apply_d_sn"))
    word = settings.take("d_act_fn", "ReLU")
    backbone = {
        "type": "ResNetBackbone",
        "image_size": settings.take("img_size"),
        "base_channels": settings.take("d_conv_dim"),
        "attention_blocks": attention_blocks(settings, "d"),
        "activation_name": translate("d_act_fn", word, ACTIVATIONS),
        "activated_shortcut": word in IN_PLACE,
        "spectral_norm": norm,
        "batch_norm": None if norm else BATCH_NORM,
        "init": translate("d_init", settings.take("d_init", "ortho"), INITS),
    }
    heads = read_heads(settings, norm)
    settings.finish()
    return {"backbone": backbone, "heads": heads}


STUDIOGAN_RESNET = register_peer(
    StudioGANFormat(
        name="studiogan_resnet",
        peer="studiogan",
        accepts=lambda spec: spec.get("model_config", {}).get("backbone") == "resnet",
        role_of=role_of,
        generator_config=with_codes(_generator),
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        slots=r"blocks\.(\d+)\.0\.sigma$",
        inputs={"z": "latent", "image": "image", "label": "label"},
        image="image",
        outputs=OUTPUTS,
        present=present,
    )
)
