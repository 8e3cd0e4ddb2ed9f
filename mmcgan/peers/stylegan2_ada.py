"""StyleGAN2 as StyleGAN2-ADA's PyTorch code writes it, and ic_gan's branch of that code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmcgan.models.layers.resample import BINOMIAL
from mmcgan.peers.reading import styles
from mmcgan.peers.reading.shapes import MisfitError
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Reading,
    Settings,
    Spec,
    Table,
    UnsupportedSetting,
    register_peer,
)

# --- names ----------------------------------------------------------------------------------------
LAYERS: Table = (
    ("resample_filter$", None),
    ("affine", "style"),
    ("skip", "shortcut"),
    ("torgb", "to_rgb"),
    ("noise_const$", "noise$"),
)
MAPPING: Table = (
    ("mapping.embed", "mapping.label"),
    ("mapping.embed_feats", "mapping.instance"),
    ("mapping.fc{i}", "mapping.layers.{i}"),
)
GENERATOR_TABLE: Table = (
    *LAYERS,
    *MAPPING,
    ("^mapping.w_avg$", "^mean_style$"),
    ("^synthesis.b4.const$", "^constant$"),
    ("^synthesis.b{i}", "^blocks.{i}"),
)
BACKBONE: Table = (
    *LAYERS,
    ("^b4.conv", "^backbone.last_conv"),
    ("^b4.fc", "^backbone.last_linear"),
    ("^b{i}.fromrgb", "^backbone.from_rgb.{i}"),
    ("^b{i}", "^backbone.blocks.{i}"),
)
DISCRIMINATOR_TABLE: Table = (
    ("^b4.out", "^heads.adv.linear"),
    *MAPPING,
    ("^mapping", "^heads.adv.mapping"),
    *BACKBONE,
)

# --- settings -------------------------------------------------------------------------------------
#: What changes speed or precision alone.
PRECISION = ("num_fp16_res", "use_fp16", "fp16_channels_last", "channels_last")


def read_layers(settings: Settings, architecture: str, *, player: str) -> Config:
    """Read channels, architecture, filter and clamp, which both players name alike.

    Raises:
        UnsupportedSetting: another activation than the leaky rectifier, no noise, frozen layers.
    """
    settings.ignore(*PRECISION)
    block = settings.take("block_kwargs", None) or {}
    nested = Settings({**settings.values, **block})
    settings.values.clear()
    config = {
        "architecture": nested.take("architecture", architecture),
        "channel_base": nested.take("channel_base", 32768),
        "max_channels": nested.take("channel_max", 512),
        "taps": tuple(float(tap) for tap in nested.take("resample_filter", None) or BINOMIAL),
        "clamp": nested.take("conv_clamp", None),
    }
    nested.require("activation", "lrelu")
    if player == GENERATOR:
        nested.require("use_noise", True)
    else:
        nested.require("freeze_layers", 0)
    nested.ignore(*PRECISION)
    nested.finish()
    return config


def read_mapping(values: Mapping[str, Any] | None, default_layers: int = 8) -> Config:
    """Read the mapping network's settings.

    Raises:
        UnsupportedSetting: hidden layers of another length, or another activation.
    """
    settings = Settings(values or {})
    layers = settings.take("num_layers", default_layers)
    config = {
        "label_dim": settings.take("embed_features", None) or 0,
        "instance_embedding_dim": settings.take("embed_features_feat", None) or 0,
    }
    settings.require("layer_features", None)
    settings.require("activation", "lrelu")
    rate = settings.take("lr_multiplier", 0.01)
    decay = settings.take("w_avg_beta", None)
    settings.finish()
    kept = {} if decay is None else {"mean_decay": decay}
    return {"mapping_layers": layers, "mapping_lr_mult": rate, **config, **kept}


def described_noise(spec: Spec) -> str:
    """Return the noise mode that a description of a call names; ``random`` if it names none."""
    found = re.search(r"noise_mode='(\w+)'", f"{spec.get('call', '')} {spec.get('how_called', '')}")
    return found[1] if found else "random"


def generator_settings(spec: Spec, *, mean_decay: float) -> Config:
    """Read a generator that is described as StyleGAN2-ADA's constructor is called."""
    settings = Settings(spec["constructor_kwargs"])
    settings.require("img_channels", 3)
    size, classes = settings.take("img_resolution"), settings.take("c_dim", 0)
    features = settings.take("h_dim", 0)
    sizes = {"latent_dim": settings.take("z_dim", 512), "style_dim": settings.take("w_dim", 512)}
    mapping = read_mapping(settings.take("mapping_kwargs", None))
    layers = read_layers(Settings(settings.take("synthesis_kwargs", None) or {}), "skip", player=GENERATOR)
    settings.finish()
    return {
        "type": "StyleGAN2Generator",
        "image_size": size,
        "num_classes": classes,
        "instance_dim": features,
        **sizes,
        "mean_decay": mean_decay,
        **mapping,
        **layers,
        # the peers' trainers mix styles, not their networks
        "style_mixing": 0.0,
        "noise": described_noise(spec),
    }


def backbone_settings(settings: Settings) -> Config:
    """Read a backbone; takes all that is left in ``settings``.

    Raises:
        UnsupportedSetting: as :func:`read_layers`, or an unknown setting of the last block.
    """
    settings.require("img_channels", 3)
    size = settings.take("img_resolution")
    last = Settings(settings.take("epilogue_kwargs", None) or {})
    group, channels = last.take("mbstd_group_size", 4), last.take("mbstd_num_channels", 1)
    last.require("activation", "lrelu")
    last.finish()
    if group == 0:
        raise UnsupportedSetting("mbstd_group_size=0: the peer takes None for the whole batch")
    return {
        "type": "StyleGAN2Backbone",
        "image_size": size,
        "minibatch_group": group or 0,
        "minibatch_channels": channels,
        **read_layers(settings, "resnet", player=DISCRIMINATOR),
    }


def projection_settings(settings: Settings) -> Config:
    """Read the head: a projection where there is a condition."""
    classes, features = settings.take("c_dim", 0), settings.take("h_dim", 0)
    dim = settings.take("cmap_dim", None)
    mapping = read_mapping(settings.take("mapping_kwargs", None))
    if mapping["mapping_lr_mult"] != 0.01:
        raise UnsupportedSetting(f"lr_multiplier={mapping['mapping_lr_mult']} of the discriminator's mapping")
    if not (classes or features):
        return {"type": "AdversarialHead", "spectral_norm": False}
    return {
        "type": "MappedProjectionHead",
        "num_classes": classes,
        "instance_dim": features,
        "dim": dim or 0,
        "num_layers": mapping["mapping_layers"],
        "label_dim": mapping["label_dim"],
        "instance_embedding_dim": mapping["instance_embedding_dim"],
    }


def is_stated(found: Mapping[str, Any]) -> bool:
    """Return whether settings are those that a pickle of this code was constructed with."""
    return "img_resolution" in found


def stated(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what constructors were called with and weights do not show; players keep it apart."""
    if not is_stated(found):
        return {}
    synthesis = found.get("synthesis_kwargs") or {}
    mapping = found.get("mapping_kwargs") or {}
    last = found.get("epilogue_kwargs") or {}
    block = {**found, **(found.get("block_kwargs") or {})}
    values = {
        "generator.clamp": synthesis.get("conv_clamp") if synthesis else None,
        "generator.mapping_lr_mult": mapping.get("lr_multiplier"),
        "generator.mean_decay": mapping.get("w_avg_beta"),
        "discriminator.backbone.clamp": block.get("conv_clamp"),
    }
    if "mbstd_group_size" in last:
        values["discriminator.backbone.minibatch_group"] = last["mbstd_group_size"] or 0
    return {path: value for path, value in values.items() if value is not None}


# --- what weights say -----------------------------------------------------------------------------
def filter_taps(state: Mapping[str, Tensor]) -> Config:
    """Read the low-pass filter that StyleGAN2's layers store.

    Raises:
        MisfitError: layers have different filters, or one that is not a product of two equal rows.
    """
    found = set()
    for key, value in state.items():
        if not key.endswith(("resample_filter", ".kernel")) or value.dim() != 2:
            continue
        row = value.double().sum(0) / value.double().sum()
        if not (row[:, None] * row).allclose(value.double() / value.double().sum(), atol=1e-5):
            raise MisfitError(f"the filter {key} is not the product of two equal rows")
        found.add(tuple(round(float(tap), 4) for tap in row / row.abs().min()))
    if len(found) > 1:
        raise MisfitError(f"layers have different filters: {sorted(found)}")
    return {"taps": list(found.pop())} if found else {}


def style_reading(mean_decay: float, heads: Config | None = None) -> Reading:
    """Return how StyleGAN2 is read from its weights, whoever's code it is of."""
    settings = {"mapping_lr_mult": 0.01, "mean_decay": mean_decay, "style_mixing": 0.0, "clamp": None}
    return Reading(
        styles.generator,
        styles.backbone,
        assumed_generator=settings,
        assumed_backbone={"minibatch_group": 4, "clamp": None},
        assumed_heads=heads or {},
        evidence=filter_taps,
        evidence_backbone=filter_taps,
        head_init="equalized",
    )


# --- ic_gan's branch ------------------------------------------------------------------------------
def _generator(spec: Spec) -> Config:
    return generator_settings(spec, mean_decay=0.995)


def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    head = projection_settings(settings)
    return {"backbone": backbone_settings(settings), "heads": {"adv": head}, "init": "equalized"}


def role_of(spec: Spec) -> str:
    """Tell the players apart: only a generator has a latent."""
    return GENERATOR if "z_dim" in spec["constructor_kwargs"] else DISCRIMINATOR


STYLEGAN2_ADA = register_peer(
    PeerFormat(
        name="ic_gan_stylegan2",
        peer="ic_gan",
        accepts=lambda spec: "img_resolution" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=style_reading(0.995),
        stated=stated,
        names_itself=is_stated,
        inputs={"z": "latent", "x": "image", "c": "label", "h": "instance"},
        outputs={"": "adv.logit"},
    )
)
