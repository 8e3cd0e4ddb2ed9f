"""StudioGAN's deep_conv (its DCGAN)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mmcgan.peers.reading import backbones, generators
from mmcgan.peers.studiogan.common import (
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
from mmcgan.peers.translation import Config, Settings, Spec

#: The peer has one table of channels and ignores its own width settings.
PUBLISHED_CHANNELS = 64

TABLES = tables(
    generator=(
        ("^linear0", "^linear"),
        ("^conv4", "^output_conv"),
        ("deconv0", "conv"),
        ("bn0", "norm"),
        *norms("norm"),
    ),
    discriminator=(
        ("^conv1", "^backbone.last_conv"),
        ("^bn1", "^backbone.last_norm.norm"),
        ("bn1", "norm2"),
        ("bn0", "norm1"),
        *norms("norm{i}"),
        ("conv1", "conv2"),
        ("conv0", "conv1"),
    ),
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


def _sized(settings: Settings, player: str, width: int) -> Settings:
    """Return settings of a player with the one size there is, and its width.

    Raises:
        UnsupportedSetting: another size than 32.
    """
    settings.values |= {"img_size": settings.require("img_size", 32), f"{player}_conv_dim": width}
    return settings


def _generator(spec: Spec) -> Config:
    settings = _sized(shared_settings(spec), "g", described_width(spec, "conv4.weight", 1))
    config = generator_settings(settings)
    config |= one_hot_classes(settings, config["spectral_norm"])
    settings.finish()
    return {"type": "DCGANGenerator", **config}


def _discriminator(spec: Spec) -> Config:
    settings = _sized(shared_settings(spec), "d", described_width(spec, "blocks.0.0.conv0.weight", 0))
    config = discriminator_settings(settings, type="DCGANBackbone")
    del config["backbone"]["activated_shortcut"]
    return config


STUDIOGAN_DEEP_CONV = register(
    "studiogan_deep_conv",
    ("deep_conv",),
    _generator,
    _discriminator,
    tables=TABLES,
    reading=reading(generators.dcgan, backbones.dcgan, condition_spectral_norm=EPS_6),
    writing=writing(("DCGANGenerator", "DCGANBackbone"), partial(describe, "deep_conv", {}, {})),
)
