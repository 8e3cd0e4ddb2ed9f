"""Settings of StyleGAN2-ADA's constructors, in both directions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import nn

from mmcgan.models.layers.resample import BINOMIAL, FIRFilter
from mmcgan.models.style_table import BOTTOM_SIZE
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    Settings,
    Spec,
    State,
    UnsupportedSetting,
    complete,
)
from mmcgan.peers.writing.describing import own_config

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
    # None, unlike nothing, keeps no mean
    kept = {"mean_decay": settings.take("w_avg_beta")} if "w_avg_beta" in settings.values else {}
    settings.finish()
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


# --- the way back ---------------------------------------------------------------------------------
def describe_generator(config: Config, network: nn.Module) -> Config:
    """Return what ``Generator`` is called with for a network of ours."""
    own = own_config(GENERATOR, config, network)
    synthesis = {**_channels(own), **_layers(own), "resample_filter": _taps(own)}
    mapping = {**_mapping(own), "lr_multiplier": own["mapping_lr_mult"], "w_avg_beta": own["mean_decay"]}
    return {
        "call": f"noise_mode='{own['noise']}'",
        "constructor_kwargs": {
            "z_dim": own["latent_dim"],
            "c_dim": own["num_classes"] or 0,
            "h_dim": own["instance_dim"],
            "w_dim": own["style_dim"],
            "img_resolution": own["image_size"],
            "img_channels": 3,
            "mapping_kwargs": {"num_layers": own["mapping_layers"], **mapping},
            "synthesis_kwargs": synthesis,
        },
    }


def describe_discriminator(config: Config, network: nn.Module) -> Config:
    """Return what ``Discriminator`` is called with for a network of ours."""
    own, head = own_config(DISCRIMINATOR, config, network), config["heads"].get("adv", {})
    mapping: Config = {}
    conditioned: Config = {"c_dim": 0, "h_dim": 0, "cmap_dim": None}
    if head.get("type") == "MappedProjectionHead":
        whole = complete(head)
        mapping = {"num_layers": whole["num_layers"], **_mapping(whole)}
        conditioned = {
            "c_dim": whole["num_classes"] or 0,
            "h_dim": whole["instance_dim"],
            "cmap_dim": whole["dim"] or None,
        }
    return {
        "constructor_kwargs": {
            **conditioned,
            "img_resolution": own["image_size"],
            "img_channels": 3,
            **_channels(own),
            **_layers(own),
            "block_kwargs": {"resample_filter": _taps(own)},
            "mapping_kwargs": mapping,
            "epilogue_kwargs": {
                "mbstd_group_size": own["minibatch_group"] or None,
                "mbstd_num_channels": own["minibatch_channels"],
            },
        }
    }


def _mapping(own: Mapping[str, Any]) -> Config:
    return {
        "embed_features": own["label_dim"] or None,
        "embed_features_feat": own["instance_embedding_dim"] or None,
    }


def _layers(own: Mapping[str, Any]) -> Config:
    return {"architecture": own["architecture"], "conv_clamp": own["clamp"]}


def _taps(own: Mapping[str, Any]) -> list[float]:
    return [float(tap) for tap in own["taps"]]


def _channels(own: Mapping[str, Any]) -> Config:
    """Return the base and bound of a table with the channels of 4, 8, ... pixels."""
    widths = own["channels"]
    if widths is None:
        return {"channel_base": own["channel_base"], "channel_max": own["max_channels"]}
    return {"channel_base": widths[-1] * own["image_size"], "channel_max": max(widths)}


#: A layer with a filter, and the block that it is in; the discriminator's last block has none of its own.
FILTERED = re.compile(r"((synthesis\.)?b(\d+)\.)((?:conv\d?|skip|fromrgb)\.)?")


def filters(state: State, network: nn.Module) -> State:
    """Return the low-pass filters, which blocks and their convolutions store."""
    kernel = next(module.kernel for module in network.modules() if isinstance(module, FIRFilter))
    places: set[str] = set()
    for found in filter(None, map(FILTERED.match, state)):
        if found[2] or int(found[3]) != BOTTOM_SIZE:
            places.add(found[1])
        if found[4]:
            places.add(found[0])
    return {f"{place}resample_filter": kernel.clone() for place in sorted(places)}
