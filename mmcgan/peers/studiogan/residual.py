"""StudioGAN's residual networks: ``resnet``, ``big_resnet`` and its two forms of BigGAN-deep."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from mmcgan.models.backbones.biggan import CHANNELS as BACKBONE_CHANNELS
from mmcgan.models.generators.biggan import CHANNELS
from mmcgan.peers.reading import backbones, deep_generators, generators
from mmcgan.peers.reading.shapes import Widths
from mmcgan.peers.studiogan.common import (
    BATCH_NORM,
    EPS_6,
    describe,
    discriminator_settings,
    generator_settings,
    norms,
    one_hot_classes,
    reading,
    register,
    shared_settings,
    tables,
    writing,
)
from mmcgan.peers.studiogan.heads import role_of
from mmcgan.peers.translation import GENERATOR, Config, Settings, Spec, Table, below

#: Channel multiples where they differ from BigGAN-PyTorch's tables.
GENERATOR_CHANNELS: Widths = {64: (16, 8, 4, 2, 1)}
DISCRIMINATOR_CHANNELS: Widths = {32: (2, 2, 2, 2)}
#: Channels of 32-pixel discriminators in the peer's own BigGAN-deep, which starts narrow.
OWN_CHANNELS: Widths = {32: (1, 4, 4, 4)}
LEGACY, OWN = "big_resnet_deep_legacy", "big_resnet_deep_studiogan"

CONVOLUTIONS: Table = (("conv2d0", "shortcut"), ("conv2d{i}", "conv{i}"))
NORMS: Table = (("bn{i}", "norm{i}"), *norms("norm{i}"))
TABLES = tables(
    generator=(
        ("^linear0", "^linear"),
        ("^shared", "^condition.label"),
        ("^bn4", "^output_norm.norm"),
        ("^conv2d5", "^output_conv"),
        *NORMS,
        *CONVOLUTIONS,
    ),
    discriminator=(
        *NORMS,
        # the first block's one batch norm in the main branch comes after its first convolution
        ("^blocks.0.norm1", "^blocks.0.norm2"),
        *CONVOLUTIONS,
        *below("backbone", "input_conv"),
    ),
)


def _widths(table: Widths, config: Config) -> list[int] | None:
    multiples = table.get(config["image_size"])
    return None if multiples is None else [config["base_channels"] * multiple for multiple in multiples]


# --- resnet ---------------------------------------------------------------------------------------
def _resnet_generator(spec: Spec) -> Config:
    settings = shared_settings(spec)
    config = generator_settings(settings)
    config |= one_hot_classes(settings, config["spectral_norm"])
    settings.finish()
    return {"type": "ResNetGenerator", **config}


def _resnet_discriminator(spec: Spec) -> Config:
    return discriminator_settings(shared_settings(spec), type="ResNetBackbone")


# --- big_resnet and its deep forms ----------------------------------------------------------------
def _shared_embedding(settings: Settings) -> Config:
    """Read a generator of BigGAN; without conditioning its batch norms see the latent's chunks alone."""
    conditional = settings.require("g_cond_mtd", "cBN", "W/O") == "cBN"
    classes = settings.take("num_classes")
    config = {
        **generator_settings(settings),
        "num_classes": classes if conditional else 0,
        "shared_dim": settings.take("g_shared_dim"),
        "output_batch_norm": BATCH_NORM,
    }
    settings.finish()
    return {**config, "channels": _widths(GENERATOR_CHANNELS, config)}


def _big_generator(spec: Spec) -> Config:
    return {"type": "BigGANGenerator", **_shared_embedding(shared_settings(spec))}


def _big_discriminator(spec: Spec) -> Config:
    config = discriminator_settings(shared_settings(spec), type="BigGANBackbone")
    config["backbone"]["channels"] = _widths(DISCRIMINATOR_CHANNELS, config["backbone"])
    return config


def _deep_settings(spec: Spec) -> tuple[Settings, Config]:
    """Return the settings but for the depth, and what depth and form say about the network's own player."""
    values: dict[str, Any] = dict(spec["constructor_kwargs"])
    depths = {name: values.pop(name, None) for name in ("g_depth", "d_depth")}
    depth = depths["g_depth" if role_of(spec) == GENERATOR else "d_depth"]
    own = spec["model_config"]["backbone"] == OWN
    form = {"depth": int(depth or 2), "projected_shortcut": own}
    return shared_settings({**spec, "constructor_kwargs": values}), form


def _at_ends(config: Config) -> Config:
    """Return the config with attention behind the last blocks of the stages that the peer names."""
    depth = config["depth"]
    return {**config, "attention_blocks": [(place + 1) * depth - 1 for place in config["attention_blocks"]]}


def _deep_generator(spec: Spec) -> Config:
    settings, form = _deep_settings(spec)
    return _at_ends({"type": "BigGANDeepGenerator", **_shared_embedding(settings), **form})


def _deep_discriminator(spec: Spec) -> Config:
    settings, form = _deep_settings(spec)
    config = discriminator_settings(settings, type="BigGANDeepBackbone", **form)
    backbone = config["backbone"]
    del backbone["batch_norm"]
    backbone["channels"] = _widths(OWN_CHANNELS if form["projected_shortcut"] else {}, backbone)
    return {**config, "backbone": _at_ends(backbone)}


def _describe_deep(role: str, config: Config, network: nn.Module) -> Config:
    own = config.get("generator", config) if role == GENERATOR else config["backbone"]
    form = OWN if own.get("projected_shortcut") else LEGACY
    channels = {**BACKBONE_CHANNELS, **(OWN_CHANNELS if form == OWN else {})}
    return describe(form, {**CHANNELS, **GENERATOR_CHANNELS}, channels, role, config, network)


_WIDTHS = ({**CHANNELS, **GENERATOR_CHANNELS}, {**BACKBONE_CHANNELS, **DISCRIMINATOR_CHANNELS})

STUDIOGAN_RESNET = register(
    "studiogan_resnet",
    ("resnet",),
    _resnet_generator,
    _resnet_discriminator,
    tables=TABLES,
    reading=reading(
        generators.resnet,
        backbones.resnet,
        one_norm=True,
        **dict.fromkeys(("outer_spectral_norm", "condition_spectral_norm", "attention_spectral_norm"), EPS_6),
    ),
    writing=writing(("ResNetGenerator", "ResNetBackbone"), partial(describe, "resnet", *_WIDTHS)),
)
STUDIOGAN_BIG_RESNET = register(
    "studiogan_big_resnet",
    ("big_resnet",),
    _big_generator,
    _big_discriminator,
    tables=TABLES,
    reading=reading(generators.biggan, backbones.biggan),
    writing=writing(("BigGANGenerator", "BigGANBackbone"), partial(describe, "big_resnet", *_WIDTHS)),
)
STUDIOGAN_DEEP = register(
    "studiogan_deep",
    (LEGACY, OWN),
    _deep_generator,
    _deep_discriminator,
    tables=TABLES,
    reading=reading(
        partial(deep_generators.deep, tables=GENERATOR_CHANNELS), partial(backbones.deep, tables=OWN_CHANNELS)
    ),
    writing=writing(("BigGANDeepGenerator", "BigGANDeepBackbone"), _describe_deep),
)
