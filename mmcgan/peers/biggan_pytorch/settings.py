"""Settings of BigGAN-PyTorch's constructors, in both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from mmcgan.models.backbones.biggan import CHANNELS as BACKBONE_CHANNELS
from mmcgan.models.generators.biggan import CHANNELS
from mmcgan.peers.reading.shapes import Shapes
from mmcgan.peers.translation import (
    GENERATOR,
    Config,
    Pair,
    Settings,
    Spec,
    UnsupportedSetting,
    read_pairs,
    translate,
    write_pairs,
)
from mmcgan.peers.writing.describing import (
    attention_places,
    base_width,
    classes_of,
    own_config,
    spectral_options,
)

INITS = {"ortho": "orthogonal", "N02": "normal", "xavier": "xavier", "glorot": "xavier"}
ACTIVATIONS = {"relu": "relu", "inplace_relu": "relu", "ir": "relu"}

#: The peer's discriminator table says 16 for all four blocks of a 32-pixel network, whose feature
#: maps are really 16, 8, 8, 8: attention "16" means after every block.
ALL_32 = 16
#: Size of the first feature map that the peer's resolutions assume.
NOMINAL_BOTTOM = 4
GENERATOR_PAIRS = (
    Pair("n_classes", "num_classes", 1000),
    Pair("dim_z", "latent_dim", 128),
    Pair("G_shared", "shared_embedding", True),
    Pair("shared_dim", "shared_dim", 0),
    Pair("hier", "hierarchical", False),
    Pair("G_init", "init", "ortho", INITS, loaded=True),
)
TRAINING = ("skip_init", "embedded_optimizer", "adam_eps")
TRAINING_OF_PLAYER = ("lr", "B1", "B2", "mixed_precision", "fp16")
#: The command line's words -> settings of ours that shapes do not show.
COMMAND_LINE = {
    "G_nl": ("generator.activation_name",),
    "D_nl": ("discriminator.backbone.activation_name",),
    "BN_eps": ("generator.batch_norm.eps",),
    "SN_eps": ("generator.spectral_norm.eps", "discriminator.backbone.spectral_norm.eps"),
    "num_G_SV_itrs": ("generator.spectral_norm.iterations",),
    "num_D_SV_itrs": ("discriminator.backbone.spectral_norm.iterations",),
    "hier": ("generator.hierarchical",),
}


def stated(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a command line beside the weights says, and they do not show."""
    settings: dict[str, Any] = {}
    for theirs, ours in COMMAND_LINE.items():
        if theirs in found:
            value = ACTIVATIONS.get(found[theirs], found[theirs]) if theirs.endswith("_nl") else found[theirs]
            settings |= dict.fromkeys(ours, value)
    return settings


def resolutions(text: str | int) -> tuple[int, ...]:
    """Return the attention resolutions that a text like ``16_32`` names; 0 means none."""
    return tuple(size for size in map(int, str(text).split("_")) if size)


def player_settings(spec: Spec, settings: Settings, player: str) -> Config:
    """Read what generator and discriminator (``player`` G or D) name alike.

    Raises:
        UnsupportedSetting: another kernel size or activation.
    """
    settings.ignore(*TRAINING, *(f"{player}_{name}" for name in TRAINING_OF_PLAYER))
    settings.require(f"{player}_kernel_size", 3)
    # the activation is an object in the constructor and a word beside it
    named = settings.take(f"{player}_activation", settings.take(f"{player}_nl", None))
    beside = str(spec.get(f"{player}_activation") or "relu").split()[0]
    norm = {
        "eps": settings.take("SN_eps", 1e-12),
        "singular_values": settings.take(f"num_{player}_SVs", 1),
        "iterations": settings.take(f"num_{player}_SV_itrs", 1),
    }
    # anything but SN means plain layers there
    applied = settings.take(f"{player}_param", "SN") == "SN"
    return {
        "activation_name": translate(f"{player}_activation", str(named or beside), ACTIVATIONS),
        "spectral_norm": norm if applied else None,
    }


def batch_norms(settings: Settings) -> Config:
    """Return the options of the blocks' batch norms and of the last one, whose eps is fixed."""
    settings.require("norm_style", "bn")
    switches: dict[str, Any] = {}
    cross_replica, biased = settings.take("cross_replica", False), settings.take("mybn", False)
    if cross_replica:  # takes precedence in the peer
        switches["add_gain"] = True
    elif biased:
        switches["biased_variance"] = True
    blocks = {"eps": settings.take("BN_eps", 1e-5), **switches}
    return {"batch_norm": blocks, "output_batch_norm": {"eps": 1e-5, **switches}}


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
    settings.ignore("no_optim")
    return {
        "type": "BigGANGenerator",
        **player_settings(spec, settings, "G"),
        **batch_norms(settings),
        **_layout(settings),
        **read_pairs(settings, GENERATOR_PAIRS),
    }


def backbone_settings(spec: Spec, settings: Settings) -> Config:
    """Read what the discriminators of BigGAN-PyTorch and its descendants share."""
    settings.require("output_dim", 1)
    size, attention = settings.take("resolution", 128), resolutions(settings.take("D_attn", "64"))
    backbone = {
        "type": "BigGANBackbone",
        "image_size": size,
        "base_channels": settings.take("D_ch", 64),
        "wide": settings.take("D_wide", True),
        "attention_resolutions": attention,
        "init": translate("D_init", settings.take("D_init", "ortho"), INITS),
        **player_settings(spec, settings, "D"),
    }
    if size == 32:
        backbone["attention_blocks"] = list(range(4)) if ALL_32 in attention else []
    return backbone


def projection(backbone: Config, classes: int) -> Config:
    """Return a discriminator with the peer's projection head."""
    head = {"type": "ProjectionHead", "num_classes": classes, "spectral_norm": backbone["spectral_norm"]}
    return {"backbone": backbone, "heads": {"adv": head}}


def whole_generator(spec: Spec, settings: Settings) -> Config:
    """Read a generator whose settings are all BigGAN-PyTorch's."""
    config = generator_settings(spec, settings)
    settings.finish()
    return config


def whole_discriminator(spec: Spec, settings: Settings) -> Config:
    """Read a discriminator whose settings are all BigGAN-PyTorch's."""
    classes = settings.take("n_classes", 1000)
    backbone = backbone_settings(spec, settings)
    settings.finish()
    return projection(backbone, classes)


def plain_generator(spec: Spec) -> Config:
    """Read a BigGAN's generator."""
    settings = Settings(spec["constructor_kwargs"])
    settings.require("G_depth", 1)
    return whole_generator(spec, settings)


def plain_discriminator(spec: Spec) -> Config:
    """Read a BigGAN's discriminator."""
    settings = Settings(spec["constructor_kwargs"])
    settings.require("D_depth", 1)
    return whole_discriminator(spec, settings)


def deep_generator(spec: Spec) -> Config:
    """Read a BigGAN-deep's generator."""
    settings = Settings(spec["constructor_kwargs"])
    depth = settings.take("G_depth", 2)
    config = whole_generator(spec, settings)
    if not (config.pop("hierarchical") and config["shared_embedding"]):
        raise UnsupportedSetting("BigGAN-deep works with hier=True and G_shared=True only")
    return {**config, "type": "BigGANDeepGenerator", "depth": depth}


def deep_discriminator(spec: Spec) -> Config:
    """Read a BigGAN-deep's discriminator."""
    settings = Settings(spec["constructor_kwargs"])
    depth = settings.take("D_depth", 2)
    config = whole_discriminator(spec, settings)
    backbone = config["backbone"]
    if not backbone.pop("wide"):
        raise UnsupportedSetting("D_wide=False has no meaning in BigGAN-deep")
    if "attention_blocks" in backbone:  # 32 pixels: stages counted from 0, of which there are three
        backbone["attention_blocks"] = [
            (stage + 1) * depth - 1 for stage in backbone["attention_blocks"] if stage < 3
        ]
    backbone |= {"type": "BigGANDeepBackbone", "depth": depth}
    return config


def describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what the peer's ``Generator`` or ``Discriminator`` is called with for a network of ours."""
    player = "G" if role == GENERATOR else "D"
    own = own_config(role, config, network)
    applied, norm = spectral_options(network)
    depth = int(own.get("depth", 1))
    stages = [place // depth for place in attention_places(network)]
    settings: Config = {
        "resolution": own["image_size"] * NOMINAL_BOTTOM // own.get("bottom_size", NOMINAL_BOTTOM),
        "n_classes": classes_of(config),
        f"{player}_param": "SN" if applied else "none",
        f"{player}_nl": own["activation_name"],
        "SN_eps": norm.get("eps", 1e-6),
        f"num_{player}_SVs": norm.get("singular_values", 1),
        f"num_{player}_SV_itrs": norm.get("iterations", 1),
        **({f"{player}_depth": depth} if "depth" in own else {}),
    }
    reader = _describe_generator if role == GENERATOR else _describe_discriminator
    return {"constructor_kwargs": {**settings, **reader(own, network, stages)}}


def _describe_generator(own: Config, network: nn.Module, stages: Sequence[int]) -> Config:
    options = own["batch_norm"] or {}
    label = Shapes(network.state_dict()).get("condition.label.weight")
    return {
        **write_pairs({"hierarchical": True, "shared_embedding": True, **own}, GENERATOR_PAIRS),
        "G_shared": label is not None,
        "shared_dim": label[1] if label else 0,
        "G_ch": base_width(network, own["image_size"] * NOMINAL_BOTTOM // own["bottom_size"], CHANNELS),
        "bottom_width": own["bottom_size"],
        "G_attn": "_".join(str(NOMINAL_BOTTOM << (stage + 1)) for stage in stages) or "0",
        "BN_eps": float(options.get("eps", 1e-5)),
        "cross_replica": bool(options.get("add_gain")),
        "mybn": bool(options.get("biased_variance")),
    }


def _describe_discriminator(own: Config, network: nn.Module, stages: Sequence[int]) -> Config:
    size = own["image_size"]
    attention = "_".join(str(size >> (stage + 1)) for stage in stages) or "0"
    if size == 32 and stages:
        attention = str(ALL_32)
    wide = bool(own.get("wide", True))
    return {"D_ch": base_width(network, size, BACKBONE_CHANNELS), "D_attn": attention, "D_wide": wide}
