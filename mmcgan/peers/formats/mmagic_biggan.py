"""MMagic's (formerly MMGeneration's) BigGAN, with its own spectral norm or torch's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import translate
from mmcgan.peers.formats.format import (
    AJBROCK_SPECTRAL,
    DISCRIMINATOR,
    GENERATOR,
    TORCH_SPECTRAL,
    Config,
    PeerFormat,
    Settings,
    Spec,
    State,
    Table,
    UnsupportedSetting,
)

INITS = {"ortho": "orthogonal", "N02": "normal", "xavier": "xavier"}
ACTIVATIONS = {"ReLU": "relu", "ELU": "elu", "GELU": "gelu", "SiLU": "silu"}
LEAKY_SLOPE = 0.01  # torch's default, which the peer's configs inherit
SPECTRAL_STYLES = ("ajbrock", "torch")
NEAREST = {"type": "nearest", "scale_factor": 2}

#: Blocks that self-attention follows where ``arch_cfg`` is not given, counted from 0.
GENERATOR_ATTENTION = {32: [], 64: [3], 128: [3], 256: [3], 512: [3]}
DISCRIMINATOR_ATTENTION = {32: [], 64: [], 128: [0], 256: [1], 512: [3]}

BLOCKS: Table = (
    (r"^conv_blocks\.", "blocks."),
    (r"\.(conv1|conv2|shortcut|theta|phi|g|o)\.conv\.", r".\1."),
    (r"\.theta\.", ".query."),
    (r"\.phi\.", ".key."),
    (r"^(attention\.\d+)\.g\.", r"\1.value."),
    (r"^(attention\.\d+)\.o\.", r"\1.output."),
    *AJBROCK_SPECTRAL,
    *TORCH_SPECTRAL,
)
GENERATOR_TABLE: Table = (
    (r"^noise2feat\.", "linear."),
    (r"^shared_embedding\.", "condition.label."),
    (r"^output_layer\.bn\.", "output_norm.norm."),
    (r"^output_layer\.conv\.", "output_conv."),
    (r"\.bn(\d)\.bn\.", r".norm\1.norm."),
    (r"\.bn(\d)\.", r".norm\1."),
    *BLOCKS,
)
DISCRIMINATOR_TABLE: Table = (
    *BLOCKS,
    (r"^(blocks|attention)\.", r"backbone.\1."),
    (r"^decision\.", "heads.adv.linear."),
    (r"^proj_y\.", "heads.adv.embed."),
)


def spectral(settings: Settings) -> Config | None:
    """Read the spectral norm: sigma is a constant in backward in the peer's own style."""
    style = settings.require("sn_style", *SPECTRAL_STYLES)
    eps = settings.take("sn_eps", 1e-6)
    if not settings.take("with_spectral_norm", True):
        return None
    if style == "torch":
        return {"eps": eps, "iterate_in_eval": False}
    return {"eps": eps, "differentiable": False}


def activation_settings(settings: Settings) -> tuple[str, bool]:
    """Return our name of the activation and whether it works in place."""
    config = dict(settings.take("act_cfg", {"type": "ReLU"}))
    kind, in_place = config.pop("type"), bool(config.pop("inplace", False))
    if kind == "LeakyReLU":
        return f"leaky_relu_{config.get('negative_slope', LEAKY_SLOPE)}", in_place
    if config:
        raise UnsupportedSetting(f"act_cfg: unknown settings {config} of {kind}")
    return translate("act_cfg.type", kind, ACTIVATIONS), in_place and kind != "GELU"


def init_settings(settings: Settings) -> str:
    """Read the initialisation, which a loaded network does not show."""
    kind = dict(settings.take("init_cfg", None) or {"type": "ortho"}).get("type")
    return translate("init_cfg.type", settings.take("init_type", None) or str(kind), INITS)


def _indices(flags: list[bool]) -> list[int]:
    return [index for index, flag in enumerate(flags) if flag]


def _generator_arch(settings: Settings, size: int) -> Config:
    """Read the layout; a custom one gives channels block by block."""
    arch = settings.take("arch_cfg", None)
    if not arch:
        return {"attention_blocks": GENERATOR_ATTENTION.get(size, [])}
    entering, leaving = list(arch["in_channels"]), list(arch["out_channels"])
    if entering[1:] != leaving[:-1] or not all(arch["upsample"]):
        raise UnsupportedSetting("arch_cfg: blocks must follow one another and all enlarge")
    return {"channels": [entering[0], *leaving], "attention_blocks": _indices(arch["attention"])}


def _discriminator_arch(settings: Settings, size: int) -> Config:
    arch = settings.take("arch_cfg", None)
    if not arch:
        return {"attention_blocks": DISCRIMINATOR_ATTENTION.get(size, [])}
    entering, leaving = list(arch["in_channels"]), list(arch["out_channels"])
    if entering != [3, *leaving[:-1]]:
        raise UnsupportedSetting("arch_cfg: blocks must follow one another, from 3 channels")
    return {
        "channels": leaving,
        "downsample": list(arch["downsample"]),
        "attention_blocks": _indices(arch["attention"]),
    }


def output_norm_settings(settings: Settings) -> Config:
    """Read the options of the last batch norm."""
    config = dict(settings.take("out_norm_cfg", {"type": "BN"}))
    if config.pop("type") not in ("BN", "SyncBN"):
        raise UnsupportedSetting("out_norm_cfg: only batch norm is supported")
    config.pop("requires_grad", None)
    if set(config) - {"eps", "momentum"}:
        raise UnsupportedSetting(f"out_norm_cfg: unknown settings {config}")
    return {"eps": 1e-5, **config}


def _constructor(spec: Spec) -> Settings:
    settings = Settings(spec["constructor"])
    settings.ignore("type", "auto_sync_bn", "pretrained")
    return settings


def _generator(spec: Spec) -> Config:
    settings = _constructor(spec)
    settings.ignore("rgb2bgr", "rgb_to_bgr")  # an order of presentation: ours is always RGB
    settings.require("out_channels", 3)
    settings.require("upsample_cfg", NEAREST)
    settings.require("blocks_cfg", {"type": "BigGANGenResBlock"})
    size, classes = settings.take("output_scale"), settings.take("num_classes", 0)
    config: dict[str, Any] = {
        "type": "BigGANGenerator",
        "image_size": size,
        "num_classes": classes,
        "base_channels": settings.take("base_channels", 96),
        "latent_dim": settings.take("noise_size", 120),
        "bottom_size": settings.take("input_scale", 4),
        "shared_embedding": settings.take("with_shared_embedding", True),
        "shared_dim": settings.take("shared_dim", 128),
        "hierarchical": settings.take("split_noise", True),
        "activation_name": activation_settings(settings)[0],
        "spectral_norm": spectral(settings),
        "output_batch_norm": output_norm_settings(settings),
        "init": init_settings(settings),
        **_generator_arch(settings, size),
    }
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings = _constructor(spec)
    settings.require("in_channels", 3)
    settings.require("out_channels", 1)
    settings.require("blocks_cfg", {"type": "BigGANDiscResBlock"})
    size, classes = settings.take("input_scale"), settings.take("num_classes", 0)
    activation, in_place = activation_settings(settings)
    norm = spectral(settings)
    backbone = {
        "type": "BigGANBackbone",
        "image_size": size,
        "base_channels": settings.take("base_channels", 96),
        "activation_name": activation,
        "activated_shortcut": in_place,
        "spectral_norm": norm,
        "init": init_settings(settings),
        **_discriminator_arch(settings, size),
    }
    settings.finish()
    head: dict[str, Any] = {"type": "AdversarialHead", "spectral_norm": norm}
    if classes:
        head = {"type": "ProjectionHead", "num_classes": classes, "spectral_norm": norm}
    return {"backbone": backbone, "heads": {"adv": head}}


def type_of(spec: Spec) -> str:
    """Return the class name of the peer's network, or an empty text."""
    constructor = spec.get("constructor")
    return str(constructor.get("type", "")) if isinstance(constructor, Mapping) else ""


def role_of(spec: Spec) -> str:
    """Read the player from the class name."""
    return GENERATOR if type_of(spec).endswith("Generator") else DISCRIMINATOR


def present(spec: Spec, outputs: State) -> State:
    """Turn images to BGR where the peer does."""
    settings = spec["constructor"]
    if not (settings.get("rgb2bgr") or settings.get("rgb_to_bgr")):
        return outputs
    return {name: value.flip(1) for name, value in outputs.items()}


MMAGIC_BIGGAN = register_peer(
    PeerFormat(
        name="mmagic_biggan",
        peer="mmagic",
        accepts=lambda spec: type_of(spec) in ("BigGANGenerator", "BigGANDiscriminator"),
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        slots=r"conv_blocks\.(\d+)\.gamma$",
        inputs={"z": "latent", "x": "image", "y": "label"},
        outputs={"": "adv.logit"},
        present=present,
    )
)
