"""StudioGAN's deep_conv (its DCGAN)."""

from __future__ import annotations

from collections.abc import Mapping

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import translate
from mmcgan.peers.formats.format import DISCRIMINATOR, GENERATOR, Config, Spec, Table
from mmcgan.peers.formats.studiogan_big_resnet import (
    ACTIVATIONS,
    ATTENTION,
    BATCH_NORM,
    INITS,
    attention_blocks,
    shared_settings,
    spectral,
)
from mmcgan.peers.formats.studiogan_codes import CODE_TABLE, with_codes
from mmcgan.peers.formats.studiogan_heads import (
    HEAD_TABLE,
    OUTPUTS,
    StudioGANFormat,
    present,
    read_heads,
    role_of,
)
from mmcgan.peers.formats.studiogan_resnet import read_classes

#: The peer has one table of channels and ignores its own width settings.
PUBLISHED_CHANNELS = 64

GENERATOR_TABLE: Table = (
    (r"^linear0\.", "linear."),
    (r"^conv4\.", "output_conv."),
    (r"\.deconv0\.", ".conv."),
    (r"\.bn0\.bn\.", ".norm.norm."),
    (r"\.bn0\.(gain|bias)\.weight", r".norm.\1.weight"),
    (r"\.bn0\.", ".norm.norm."),
    *CODE_TABLE,
    *ATTENTION,
)
DISCRIMINATOR_TABLE: Table = (
    (r"^conv1\.", "backbone.last_conv."),
    (r"^bn1\.", "backbone.last_norm.norm."),
    (r"\.conv0\.", ".first."),
    (r"\.conv1\.", ".conv2."),
    (r"\.first\.", ".conv1."),
    (r"^(blocks.*)\.bn1\.", r"\1.norm2.norm."),
    (r"\.bn0\.", ".norm1.norm."),
    *ATTENTION,
    (r"^(blocks|attention)\.", r"backbone.\1."),
    *HEAD_TABLE,
)


def described_width(spec: Spec, key: str, axis: int) -> int:
    """Return a width from the shapes that a description lists, or the published one.

    Golden cases scale the peer's channel table down, which no setting of its says.
    """
    formula = spec.get("state_formula", {}).get("keys", {})
    listed = spec.get("tensors", {})
    for name, shapes in ((key, formula), (f"state/{key}", listed), (f"state/{key}_orig", listed)):
        if name in shapes:
            entry = shapes[name]
            return int((entry["shape"] if isinstance(entry, Mapping) else entry)[axis])
    return PUBLISHED_CHANNELS


def _generator(spec: Spec) -> Config:
    settings = shared_settings(spec)
    settings.ignore("d_act_fn", "apply_d_sn", "g_shared_dim", "g_conv_dim")
    norm = spectral(settings.take("apply_g_sn", False))
    config = {
        "type": "DCGANGenerator",
        "image_size": settings.require("img_size", 32),
        "num_classes": read_classes(settings),
        "base_channels": described_width(spec, "conv4.weight", 1),
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
    settings.ignore("g_act_fn", "apply_g_sn", "g_cond_mtd", "d_conv_dim")
    norm = spectral(settings.take("apply_d_sn"))
    backbone = {
        "type": "DCGANBackbone",
        "image_size": settings.require("img_size", 32),
        "base_channels": described_width(spec, "blocks.0.0.conv0.weight", 0),
        "attention_blocks": attention_blocks(settings, "d"),
        "activation_name": translate("d_act_fn", settings.take("d_act_fn", "ReLU"), ACTIVATIONS),
        "spectral_norm": norm,
        "batch_norm": None if norm else BATCH_NORM,
        "init": translate("d_init", settings.take("d_init", "ortho"), INITS),
    }
    heads = read_heads(settings, norm)
    settings.finish()
    return {"backbone": backbone, "heads": heads}


STUDIOGAN_DEEP_CONV = register_peer(
    StudioGANFormat(
        name="studiogan_deep_conv",
        peer="studiogan",
        accepts=lambda spec: spec.get("model_config", {}).get("backbone") == "deep_conv",
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
