"""StudioGAN's two forms of BigGAN-deep, ``big_resnet_deep_legacy`` and ``big_resnet_deep_studiogan``."""

from __future__ import annotations

from typing import Any

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import translate
from mmcgan.peers.formats.format import DISCRIMINATOR, GENERATOR, Config, Settings, Spec, Table
from mmcgan.peers.formats.studiogan_big_resnet import (
    ACTIVATIONS,
    BATCH_NORM,
    DISCRIMINATOR_TABLE,
    GENERATOR_CHANNELS,
    GENERATOR_TABLE,
    IN_PLACE,
    INITS,
    attention_blocks,
    shared_settings,
    spectral,
)
from mmcgan.peers.formats.studiogan_codes import with_codes
from mmcgan.peers.formats.studiogan_heads import OUTPUTS, StudioGANFormat, present, read_heads, role_of

LEGACY, OWN = "big_resnet_deep_legacy", "big_resnet_deep_studiogan"
#: Channels of 32-pixel discriminators in the peer's own form, which starts narrow.
OWN_CHANNELS_32 = (1, 4, 4, 4)

DEEP: Table = (
    (r"\.conv2d([34])\.", r".conv\1."),
    (r"^input_conv\.", "backbone.input_conv."),
)


def _backbone(spec: Spec) -> str:
    return str(spec.get("model_config", {}).get("backbone"))


def _settings(spec: Spec) -> tuple[Settings, int]:
    """Return the settings but for the depth, and the depth of the network's own player."""
    values: dict[str, Any] = dict(spec["constructor_kwargs"])
    depths = {name: values.pop(name, None) for name in ("g_depth", "d_depth")}
    depth = depths["g_depth" if role_of(spec) == GENERATOR else "d_depth"]
    return shared_settings({**spec, "constructor_kwargs": values}), int(depth or 2)


def _ends(places: list[int], depth: int) -> list[int]:
    """Return the last blocks of the stages that attention follows."""
    return [(place + 1) * depth - 1 for place in places]


def _generator(spec: Spec) -> Config:
    settings, depth = _settings(spec)
    settings.ignore("d_act_fn", "apply_d_sn")
    conditional = settings.require("g_cond_mtd", "cBN", "W/O") == "cBN"
    classes = settings.take("num_classes")
    size, base = settings.take("img_size"), settings.take("g_conv_dim")
    table = GENERATOR_CHANNELS.get(size)
    config = {
        "type": "BigGANDeepGenerator",
        "image_size": size,
        "num_classes": classes if conditional else 0,
        "base_channels": base,
        "channels": table and [base * multiple for multiple in table],
        "latent_dim": settings.take("z_dim"),
        "shared_dim": settings.take("g_shared_dim"),
        "depth": depth,
        "attention_blocks": _ends(attention_blocks(settings, "g"), depth),
        "projected_shortcut": _backbone(spec) == OWN,
        "activation_name": translate("g_act_fn", settings.take("g_act_fn", "ReLU"), ACTIVATIONS),
        "spectral_norm": spectral(settings.take("apply_g_sn", False)),
        "batch_norm": BATCH_NORM,
        "output_batch_norm": BATCH_NORM,
        "init": translate("g_init", settings.take("g_init", "ortho"), INITS),
    }
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings, depth = _settings(spec)
    settings.ignore("g_act_fn", "apply_g_sn", "g_cond_mtd")
    size, base = settings.take("img_size"), settings.take("d_conv_dim")
    word, own = settings.take("d_act_fn", "ReLU"), _backbone(spec) == OWN
    norm = spectral(settings.take("apply_d_sn"))
    backbone = {
        "type": "BigGANDeepBackbone",
        "image_size": size,
        "base_channels": base,
        "channels": [base * multiple for multiple in OWN_CHANNELS_32] if own and size == 32 else None,
        "depth": depth,
        "attention_blocks": _ends(attention_blocks(settings, "d"), depth),
        "projected_shortcut": own,
        "activated_shortcut": word in IN_PLACE,
        "activation_name": translate("d_act_fn", word, ACTIVATIONS),
        "spectral_norm": norm,
        "init": translate("d_init", settings.take("d_init", "ortho"), INITS),
    }
    heads = read_heads(settings, norm)
    settings.finish()
    return {"backbone": backbone, "heads": heads}


STUDIOGAN_DEEP = register_peer(
    StudioGANFormat(
        name="studiogan_deep",
        peer="studiogan",
        accepts=lambda spec: _backbone(spec) in (LEGACY, OWN),
        role_of=role_of,
        generator_config=with_codes(_generator),
        discriminator_config=_discriminator,
        tables={
            GENERATOR: (*DEEP, *GENERATOR_TABLE),
            DISCRIMINATOR: (*DEEP, *DISCRIMINATOR_TABLE),
        },
        slots=r"blocks\.(\d+)\.0\.sigma$",
        inputs={"z": "latent", "image": "image", "label": "label"},
        image="image",
        outputs=OUTPUTS,
        present=present,
    )
)
