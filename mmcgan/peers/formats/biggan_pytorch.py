"""BigGAN-PyTorch: its BigGAN, and the networks it calls SAGAN and SNGAN, which share the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcgan.models.generators.biggan import CHANNELS
from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.format import (
    AJBROCK_SPECTRAL,
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    Table,
    UnsupportedSetting,
)

INITS = {"ortho": "orthogonal", "N02": "normal", "xavier": "xavier", "glorot": "xavier"}
ACTIVATIONS = {"relu": "relu", "inplace_relu": "relu", "ir": "relu"}

#: The peer's discriminator table says 16 for all four blocks of a 32-pixel network, whose feature
#: maps are really 16, 8, 8, 8: attention "16" means after every block.
SIZES_32 = (16, 16, 16, 16)
#: Size of the first feature map that the peer's resolutions assume.
NOMINAL_BOTTOM = 4

BLOCKS: Table = (
    (r"^blocks\.(\d+)\.1\.", r"attention.\1."),
    (r"^blocks\.(\d+)\.0\.", r"blocks.\1."),
    (r"\.conv_sc\.", ".shortcut."),
    (r"\.theta\.", ".query."),
    (r"\.phi\.", ".key."),
    (r"^(attention\.\d+)\.g\.", r"\1.value."),
    (r"^(attention\.\d+)\.o\.", r"\1.output."),
    *AJBROCK_SPECTRAL,
)
GENERATOR_TABLE: Table = (
    (r"accumulation_counter$", None),
    (r"^shared\.", "condition.label."),
    (r"^shared_feat\.", "condition.instance."),
    (r"^output_layer\.0\.gain$", "output_norm.norm.weight"),
    (r"^output_layer\.0\.bias$", "output_norm.norm.bias"),
    (r"^output_layer\.0\.(?:bn\.)?(?:stored|running)_", "output_norm.norm.running_"),
    (r"^output_layer\.0\.bn\.", "output_norm.norm."),
    (r"^output_layer\.2\.", "output_conv."),
    (r"\.bn(\d)\.(?:bn\.)?(?:stored|running)_", r".norm\1.norm.running_"),
    (r"\.bn(\d)\.bn\.", r".norm\1.norm."),
    (r"\.bn(\d)\.", r".norm\1."),
    *BLOCKS,
)
DISCRIMINATOR_TABLE: Table = (
    *BLOCKS,
    (r"^(blocks|attention)\.", r"backbone.\1."),
    (r"^(linear|embed)\.", r"heads.adv.\1."),
)


def resolutions(text: str | int) -> tuple[int, ...]:
    """Return the attention resolutions that a text like ``16_32`` names; 0 means none."""
    return tuple(size for size in map(int, str(text).split("_")) if size)


def translate(name: str, value: str, table: Mapping[str, str]) -> str:
    """Return our word for a peer's.

    Raises:
        UnsupportedSetting: there is none.
    """
    if value not in table:
        raise UnsupportedSetting(f"{name}={value!r} is not supported, only {list(table)}")
    return table[value]


def spectral(settings: Settings, player: str, eps: float) -> Config | None:
    """Read the spectral-norm settings of ``player`` (G or D)."""
    values = settings.take(f"num_{player}_SVs", 1)
    iterations = settings.take(f"num_{player}_SV_itrs", 1)
    # Anything but SN means plain layers there.
    if settings.take(f"{player}_param", "SN") != "SN":
        return None
    return {"eps": eps, "singular_values": values, "iterations": iterations}


def read_activation(settings: Settings, spec: Spec, player: str) -> str:
    """Read the activation, which is an object in the constructor and a word beside it."""
    named = settings.take(f"{player}_activation", settings.take(f"{player}_nl", None))
    beside = str(spec.get(f"{player}_activation") or "relu").split()[0]
    return translate(f"{player}_activation", str(named or beside), ACTIVATIONS)


def batch_norms(settings: Settings) -> tuple[Config, Config]:
    """Return the options of the blocks' batch norms and of the last one, whose eps is fixed."""
    settings.require("norm_style", "bn")
    switches: dict[str, Any] = {}
    cross_replica, biased = settings.take("cross_replica", False), settings.take("mybn", False)
    if cross_replica:  # takes precedence in the peer
        switches["add_gain"] = True
    elif biased:
        switches["biased_variance"] = True
    return {"eps": settings.take("BN_eps", 1e-5), **switches}, {"eps": 1e-5, **switches}


def _layout(settings: Settings) -> Config:
    """Read sizes and channels: a wider bottom enlarges the image, but not the table's labels."""
    nominal, base = settings.take("resolution", 128), settings.take("G_ch", 64)
    bottom, attention = settings.take("bottom_width", 4), resolutions(settings.take("G_attn", "64"))
    plain = {"image_size": nominal, "base_channels": base, "attention_resolutions": attention}
    if bottom == NOMINAL_BOTTOM or nominal not in CHANNELS:
        return {**plain, "bottom_size": bottom}
    labels = [NOMINAL_BOTTOM * 2 ** (i + 1) for i in range(len(CHANNELS[nominal]) - 1)]
    return {
        "image_size": nominal * bottom // NOMINAL_BOTTOM,
        "base_channels": base,
        "channels": [base * multiple for multiple in CHANNELS[nominal]],
        "bottom_size": bottom,
        "attention_blocks": [i for i, label in enumerate(labels) if label in attention],
    }


def generator_settings(spec: Spec, settings: Settings) -> Config:
    """Read what BigGAN-PyTorch and its descendants share; leaves the rest in ``settings``."""
    settings.ignore("no_optim", "skip_init", "embedded_optimizer", "G_lr", "G_B1", "G_B2", "adam_eps")
    settings.ignore("G_mixed_precision", "G_fp16")
    settings.require("G_kernel_size", 3)
    eps = settings.take("SN_eps", 1e-12)
    norm, output_norm = batch_norms(settings)
    return {
        "type": "BigGANGenerator",
        **_layout(settings),
        "num_classes": settings.take("n_classes", 1000),
        "latent_dim": settings.take("dim_z", 128),
        "shared_embedding": settings.take("G_shared", True),
        "shared_dim": settings.take("shared_dim", 0),
        "hierarchical": settings.take("hier", False),
        "activation_name": read_activation(settings, spec, "G"),
        "spectral_norm": spectral(settings, "G", eps),
        "batch_norm": norm,
        "output_batch_norm": output_norm,
        "init": translate("G_init", settings.take("G_init", "ortho"), INITS),
    }


def backbone_settings(spec: Spec, settings: Settings) -> Config:
    """Read what the discriminators of BigGAN-PyTorch and its descendants share."""
    settings.ignore("skip_init", "embedded_optimizer", "D_lr", "D_B1", "D_B2", "adam_eps")
    settings.ignore("D_mixed_precision", "D_fp16")
    settings.require("D_kernel_size", 3)
    settings.require("output_dim", 1)
    size = settings.take("resolution", 128)
    attention = resolutions(settings.take("D_attn", "64"))
    eps = settings.take("SN_eps", 1e-12)
    backbone = {
        "type": "BigGANBackbone",
        "image_size": size,
        "base_channels": settings.take("D_ch", 64),
        "wide": settings.take("D_wide", True),
        "attention_resolutions": attention,
        "activation_name": read_activation(settings, spec, "D"),
        "spectral_norm": spectral(settings, "D", eps),
        "init": translate("D_init", settings.take("D_init", "ortho"), INITS),
    }
    if size == 32:
        places = [index for index, label in enumerate(SIZES_32) if label in attention]
        backbone["attention_blocks"] = places
    return backbone


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    settings.require("G_depth", 1)
    config = generator_settings(spec, settings)
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    settings.require("D_depth", 1)
    classes = settings.take("n_classes", 1000)
    backbone = backbone_settings(spec, settings)
    settings.finish()
    head = {"type": "ProjectionHead", "num_classes": classes, "spectral_norm": backbone["spectral_norm"]}
    return {"backbone": backbone, "heads": {"adv": head}}


def role_of(spec: Spec) -> str:
    """Tell the players apart by the prefix of their settings."""
    names = spec["constructor_kwargs"]
    generator = any(name.startswith("G_") or name in ("dim_z", "hier", "shared_dim") for name in names)
    return GENERATOR if generator else DISCRIMINATOR


def is_biggan(spec: Spec) -> bool:
    """Whether a description is of a BigGAN that is not BigGAN-deep."""
    settings = spec.get("constructor_kwargs", {})
    deep = any(key.endswith("_depth") and value != 1 for key, value in settings.items())
    return "resolution" in settings and not deep


BIGGAN_PYTORCH = register_peer(
    PeerFormat(
        name="biggan_pytorch",
        peer="biggan_pytorch",
        accepts=is_biggan,
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        inputs={"z": "latent", "x": "image", "y": "label"},
        outputs={"": "adv.logit"},
    )
)
