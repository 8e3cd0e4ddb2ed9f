"""MMagic's BigGAN and BigGAN-deep, with its own spectral norm or torch's, also as converted from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from mmcgan.models.backbones.biggan import CHANNELS as BACKBONE_CHANNELS
from mmcgan.models.generators.biggan import CHANNELS as GENERATOR_CHANNELS
from mmcgan.peers.mmagic.common import (
    SLOTS,
    STYLES,
    constructor,
    discriminator_end,
    files,
    head,
    in_place,
    layers,
    present,
    read_activation,
    role_of,
    spectral_of,
    stated,
    style_of,
    type_of,
    write_activation,
)
from mmcgan.peers.reading import backbones, deep_generators, generators
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    EITHER,
    GENERATOR,
    ROW_VECTORS,
    Config,
    Pair,
    PeerFormat,
    Settings,
    Spec,
    Table,
    UnsupportedSetting,
    Writing,
    read_pairs,
    register_peer,
    residual_reading,
    translate,
    write_pairs,
)
from mmcgan.peers.writing.describing import (
    base_width,
    block_widths,
    classes_of,
    eps_of,
    inner_shapes,
    own_config,
    spectral_options,
)

GENERATOR_TABLE: Table = (
    *SLOTS,
    ("^noise2feat", "^linear"),
    ("^shared_embedding", "^condition.label"),
    ("^output_layer.bn", "^output_norm.norm"),
    ("^output_layer.conv", "^output_conv"),
    ("bn{i}", "norm{i}"),
    ("norm{i}.bn", "norm{i}.norm"),
    *layers("conv{i}"),
)
DISCRIMINATOR_TABLE: Table = (
    *SLOTS,
    ("^input_conv.conv", "^input_conv"),
    *layers("conv{i}"),
    *discriminator_end(),
)

INITS = {"ortho": "orthogonal", "N02": "normal", "xavier": "xavier"}
NEAREST = {"type": "nearest", "scale_factor": 2}
#: Blocks, or stages, that self-attention follows where ``arch_cfg`` is not given, counted from 0.
GENERATOR_ATTENTION = {32: [], 64: [3], 128: [3], 256: [3], 512: [3]}
DISCRIMINATOR_ATTENTION = {32: [], 64: [], 128: [0], 256: [1], 512: [3]}

BOTH = (Pair("num_classes", "num_classes", 0), Pair("base_channels", "base_channels", 96))
OF_GENERATOR = (
    *BOTH,
    Pair("output_scale", "image_size"),
    Pair("noise_size", "latent_dim", 120),
    Pair("input_scale", "bottom_size", 4),
    Pair("with_shared_embedding", "shared_embedding", True),
    Pair("shared_dim", "shared_dim", 128),
)
HIERARCHICAL = Pair("split_noise", "hierarchical", True)


def _player(settings: Settings, block: str) -> tuple[Config, bool]:
    """Return what both players have in common, and whether activations work in place."""
    settings.require("blocks_cfg", {"type": block})
    style, eps = settings.require("sn_style", *STYLES), settings.take("sn_eps", 1e-6)
    applied, activation = settings.take("with_spectral_norm", True), read_activation(settings)
    # a loaded network does not show its initialisation
    kind = dict(settings.take("init_cfg", None) or {"type": "ortho"}).get("type")
    config = {
        "activation_name": activation[0],
        "spectral_norm": spectral_of(style, eps) if applied else None,
        "init": translate("init_cfg.type", settings.take("init_type", None) or str(kind), INITS),
    }
    return config, activation[1]


def _output_norm(settings: Settings) -> Config:
    """Read the options of the last batch norm."""
    config = dict(settings.take("out_norm_cfg", {"type": "BN"}))
    if config.pop("type") not in ("BN", "SyncBN"):
        raise UnsupportedSetting("out_norm_cfg: only batch norm is supported")
    config.pop("requires_grad", None)
    if set(config) - {"eps", "momentum"}:
        raise UnsupportedSetting(f"out_norm_cfg: unknown settings {config}")
    return {"eps": 1e-5, **config}


def _arch(settings: Settings, size: int, attention: Mapping[int, list[int]], *, generator: bool) -> Config:
    """Read the layout; a custom one gives channels block by block."""
    arch = settings.take("arch_cfg", None)
    if not arch:
        return {"attention_blocks": attention.get(size, [])}
    entering, leaving = list(arch["in_channels"]), list(arch["out_channels"])
    places = [index for index, flag in enumerate(arch["attention"]) if flag]
    if generator and (entering[1:] != leaving[:-1] or not all(arch["upsample"])):
        raise UnsupportedSetting("arch_cfg: blocks must follow one another and all enlarge")
    if generator:
        return {"channels": [entering[0], *leaving], "attention_blocks": places}
    if entering != [3, *leaving[:-1]]:
        raise UnsupportedSetting("arch_cfg: blocks must follow one another, from 3 channels")
    return {"channels": leaving, "downsample": list(arch["downsample"]), "attention_blocks": places}


def _generator_settings(spec: Spec, block: str) -> tuple[Settings, Config]:
    settings = constructor(spec)
    settings.require("out_channels", 3)
    settings.require("upsample_cfg", NEAREST)
    config = _player(settings, block)[0] | read_pairs(settings, OF_GENERATOR)
    return settings, {**config, "output_batch_norm": _output_norm(settings)}


def _backbone_settings(spec: Spec, block: str) -> tuple[Settings, Config, int]:
    settings = constructor(spec)
    settings.require("in_channels", 3)
    settings.require("out_channels", 1)
    config, activated = _player(settings, block)
    size, both = settings.take("input_scale"), read_pairs(settings, BOTH)
    classes = both.pop("num_classes")
    return settings, {"image_size": size, **both, **config, "activated_shortcut": activated}, classes


def _generator(spec: Spec) -> Config:
    settings, config = _generator_settings(spec, "BigGANGenResBlock")
    config |= read_pairs(settings, (HIERARCHICAL,))
    config |= _arch(settings, config["image_size"], GENERATOR_ATTENTION, generator=True)
    settings.finish()
    return {"type": "BigGANGenerator", **config}


def _discriminator(spec: Spec) -> Config:
    settings, config, classes = _backbone_settings(spec, "BigGANDiscResBlock")
    config |= _arch(settings, config["image_size"], DISCRIMINATOR_ATTENTION, generator=False)
    settings.finish()
    return {
        "backbone": {"type": "BigGANBackbone", **config},
        "heads": head(classes, config["spectral_norm"]),
    }


# --- BigGAN-deep ----------------------------------------------------------------------------------
def _stages(settings: Settings, size: int, attention: Mapping[int, list[int]]) -> Config:
    """Read the depth of stages, whose last blocks attention follows."""
    if settings.take("arch_cfg", None):
        raise UnsupportedSetting("arch_cfg of BigGAN-deep is not supported")
    depth = settings.take("block_depth", 2)
    return {
        "depth": depth,
        "attention_blocks": [(stage + 1) * depth - 1 for stage in attention.get(size, [])],
    }


def _deep_generator(spec: Spec) -> Config:
    settings, config = _generator_settings(spec, "BigGANDeepGenResBlock")
    config |= _stages(settings, config["image_size"], GENERATOR_ATTENTION)
    concatenated = settings.take("concat_noise", True)
    if concatenated and not config["shared_embedding"]:
        raise UnsupportedSetting("concat_noise needs with_shared_embedding, as in the peer")
    settings.finish()
    return {"type": "BigGANDeepGenerator", **config, "concatenate_latent": concatenated, **CHANNELS_LAST}


def _deep_discriminator(spec: Spec) -> Config:
    settings, config, classes = _backbone_settings(spec, "BigGANDeepDiscResBlock")
    config |= _stages(settings, config["image_size"], DISCRIMINATOR_ATTENTION)
    settings.finish()
    return {
        "backbone": {"type": "BigGANDeepBackbone", **config},
        "heads": head(classes, config["spectral_norm"]),
    }


# --- the way back ---------------------------------------------------------------------------------
def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``BigGANGenerator`` or ``BigGANDiscriminator`` is called with for a network of ours."""
    applied, norm = spectral_options(network)
    own = own_config(role, config, network)
    widths = block_widths(inner_shapes(network))
    settings: Config = {
        "act_cfg": write_activation(own),
        "with_spectral_norm": applied,
        "sn_style": style_of(inner_shapes(network)),
        "sn_eps": norm.get("eps", 1e-6),
    }
    reader = _describe_generator if role == GENERATOR else _describe_discriminator
    return {"constructor": {**settings, **reader(config, own, network, widths)}}


def _describe_deep(role: str, config: Config, network: nn.Module) -> Config:
    """Return what the peer's BigGAN-deep is called with; it has its own table of channels and attention."""
    described = _describe(role, config, network)["constructor"]
    own = own_config(role, config, network)
    described["type"] = described["type"].replace("BigGAN", "BigGANDeep")
    for name in ("arch_cfg", "split_noise"):
        described.pop(name, None)
    table = GENERATOR_CHANNELS if role == GENERATOR else BACKBONE_CHANNELS
    width = base_width(network, own["image_size"], table)
    concatenated = {"concat_noise": own["concatenate_latent"]} if role == GENERATOR else {}
    return {"constructor": {**described, "base_channels": width, "block_depth": own["depth"], **concatenated}}


def _describe_generator(config: Config, own: Config, network: nn.Module, widths: list[int]) -> Config:
    shapes = inner_shapes(network)
    label, places = shapes.get("condition.label.weight"), shapes.indices("attention")
    entry = shapes["blocks.0.conv1.weight"][1]
    return {
        "type": "BigGANGenerator",
        **write_pairs({"hierarchical": True, **own}, (*OF_GENERATOR, HIERARCHICAL)),
        "base_channels": widths[-1],
        "with_shared_embedding": label is not None,
        "shared_dim": label[1] if label else 128,
        "out_norm_cfg": {"type": "BN", "eps": eps_of(config, "output_batch_norm")},
        "arch_cfg": {
            "in_channels": [entry, *widths[:-1]],
            "out_channels": widths,
            "upsample": [True] * len(widths),
            "resolution": [own["bottom_size"] << (i + 1) for i in range(len(widths))],
            "attention": [i in places for i in range(len(widths))],
        },
    }


def _describe_discriminator(config: Config, own: Config, network: Any, widths: list[int]) -> Config:
    places = inner_shapes(network).indices("attention")
    return {
        "type": "BigGANDiscriminator",
        "num_classes": classes_of(config),
        "input_scale": own["image_size"],
        "base_channels": widths[0],
        "arch_cfg": {
            "in_channels": [3, *widths[:-1]],
            "out_channels": widths,
            "downsample": [bool(block.downsample) for block in network.backbone.blocks],
            "attention": [i in places for i in range(len(widths))],
        },
    }


EPS_6: Config = {"eps": 1e-6}
#: How weights that were converted from the published ones lie.
CHANNELS_LAST = {"latent_first": True, "bottom_channels_last": True}

MMAGIC_BIGGAN = register_peer(
    PeerFormat(
        name="mmagic_biggan",
        peer="mmagic",
        accepts=lambda spec: type_of(spec) in ("BigGANGenerator", "BigGANDiscriminator"),
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=residual_reading(generators.biggan, backbones.biggan, EPS_6, 1e-5, choices_backbone=in_place),
        writing=Writing(("BigGANGenerator", "BigGANBackbone"), _describe, files, EITHER),
        values=(ROW_VECTORS,),
        stated=stated,
        inputs={"z": "latent", "x": "image", "y": "label"},
        outputs={"": "adv.logit"},
        present=present,
    )
)
MMAGIC_BIGGAN_DEEP = register_peer(
    replace(
        MMAGIC_BIGGAN,
        name="mmagic_biggan_deep",
        accepts=lambda spec: type_of(spec) in ("BigGANDeepGenerator", "BigGANDeepDiscriminator"),
        configs={GENERATOR: _deep_generator, DISCRIMINATOR: _deep_discriminator},
        reading=residual_reading(
            deep_generators.deep,
            backbones.deep,
            EPS_6,
            1e-5,
            more_generator=CHANNELS_LAST,
            choices_backbone=in_place,
        ),
        writing=Writing(("BigGANDeepGenerator", "BigGANDeepBackbone"), _describe_deep, files, EITHER),
    )
)
