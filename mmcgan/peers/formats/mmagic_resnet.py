"""MMagic's (formerly MMGeneration's) SNGAN and SAGAN generators and their projection discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.format import (
    AJBROCK_SPECTRAL,
    DISCRIMINATOR,
    GENERATOR,
    TORCH_SPECTRAL,
    Config,
    PeerFormat,
    Settings,
    Spec,
    Table,
    UnsupportedSetting,
)
from mmcgan.peers.formats.mmagic_biggan import activation_settings, present, role_of, type_of

GENERATORS = ("SNGANGenerator", "SAGANGenerator")
DISCRIMINATORS = ("ProjDiscriminator",)

#: Channel multiples: before every block of G (after the last it is 1); behind every block of D but
#: the first, whose multiple is 1; and which of those blocks of D halve the size.
GENERATOR_CHANNELS = {32: (1, 1, 1), 64: (16, 8, 4, 2), 128: (16, 16, 8, 4, 2)}
DISCRIMINATOR_CHANNELS = {32: (1, 1, 1), 64: (2, 4, 8, 16), 128: (2, 4, 8, 16, 16)}
DOWNSAMPLE = {32: (True, False, False), 64: (True,) * 4, 128: (True,) * 4 + (False,)}

#: Initialisations: our nearest one, and whether the conditional gain is 1 + its table.
INITS = {
    "STUDIO": ("orthogonal", True),
    "BIGGAN": ("xavier", True),
    "SAGAN": ("xavier", False),
    "SNGAN": ("xavier", False),
    "SNGAN-PROJ": ("xavier", False),
    "GAN-PROJ": ("xavier", False),
}

#: Layers outside the blocks carry torch's hook with its default eps, whatever the settings say.
OUTER_SPECTRAL = {"eps": 1e-12, "iterate_in_eval": False}
ATTENTION_EPS = 1e-6

BLOCKS: Table = (
    (r"\.(conv_1|conv_2|shortcut|theta|phi|g|o)\.conv\.", r".\1."),
    (r"\.conv_(\d)\.", r".conv\1."),
    (r"\.theta\.", ".query."),
    (r"\.phi\.", ".key."),
    (r"^(attention\.-?\d+)\.g\.", r"\1.value."),
    (r"^(attention\.-?\d+)\.o\.", r"\1.output."),
    *AJBROCK_SPECTRAL,
    *TORCH_SPECTRAL,
)
GENERATOR_TABLE: Table = (
    (r"^conv_blocks\.", "blocks."),
    (r"^noise2feat\.", "linear."),
    (r"^to_rgb\.bn\.", "output_norm.norm."),
    (r"^to_rgb\.conv\.", "output_conv."),
    (r"\.norm_(\d)\.weight_embedding\.", r".norm\1.gain."),
    (r"\.norm_(\d)\.bias_embedding\.", r".norm\1.bias."),
    (r"\.norm_(\d)\.", r".norm\1."),
    *BLOCKS,
)
# The peer's first block stands outside its list: ours count from it, so the others move up by one.
SHIFT: Table = (
    *((rf"^(?:conv_blocks|blocks)\.{index}\.", f"blocks.{index + 1}.") for index in range(8, -1, -1)),
    *((rf"^attention\.{index}\.", f"attention.{index + 1}.") for index in range(8, -2, -1)),
    (r"^from_rgb\.", "blocks.0."),
)
DISCRIMINATOR_TABLE: Table = (
    *BLOCKS,
    *SHIFT,
    (r"^(blocks|attention)\.", r"backbone.\1."),
    (r"^decision\.", "heads.adv.linear."),
    (r"^proj_y\.", "heads.adv.embed."),
)


def _styled(style: str, eps: float) -> Config:
    """Return the options of one of the peer's two styles of spectral norm."""
    if style == "torch":
        return {"eps": eps, "iterate_in_eval": False}
    return {"eps": eps, "differentiable": False}


def _attention(settings: Settings) -> tuple[list[int], Settings]:
    """Return the indices of blocks that attention follows (the peer counts from 1) and its settings."""
    config = Settings(settings.take("attention_cfg", None) or {"type": "SelfAttentionBlock"})
    config.require("type", "SelfAttentionBlock")
    places = settings.take("attention_after_nth_block", 0)
    places = list(places) if isinstance(places, Sequence) else [places]
    return [place - 1 for place in places if place > 0], config


def _attention_spectral(config: Settings, style: str) -> Config | bool:
    """Return attention's spectral norm, which is on whatever the network's own switch says."""
    eps = config.take("sn_eps", ATTENTION_EPS)
    config.ignore("sn_style", "in_channels")  # the network's style replaces them
    applied = config.take("with_spectral_norm", True)
    config.finish()
    return _styled(style, eps) if applied else False


def _table(given: Any, default: dict[int, tuple[Any, ...]], size: int) -> list[Any]:
    """Return a list that is given as such, by image size, or by default.

    Raises:
        UnsupportedSetting: none for this size.
    """
    if isinstance(given, Sequence):
        return list(given)
    choices = {int(key): value for key, value in (given or default).items()}
    if size not in choices:
        raise UnsupportedSetting(f"no channel table for size {size}, only {list(choices)}")
    return list(choices[size])


def _init(settings: Settings) -> tuple[str, bool]:
    kind = str(dict(settings.take("init_cfg", None) or {"type": "BigGAN"}).get("type")).upper()
    if kind not in INITS:
        raise UnsupportedSetting(f"init_cfg.type={kind!r} is not supported, only {list(INITS)}")
    return INITS[kind]


def _constructor(spec: Spec) -> Settings:
    settings = Settings(spec["constructor"])
    settings.ignore("type", "auto_sync_bn", "pretrained", "rgb_to_bgr")
    return settings


def _generator(spec: Spec) -> Config:
    settings = _constructor(spec)
    settings.require("out_channels", 3)
    settings.require("blocks_cfg", {"type": "SNGANGenResBlock"})
    size, base = settings.take("output_scale"), settings.take("base_channels", 64)
    style, eps = settings.require("sn_style", "torch", "ajbrock"), settings.take("sn_eps", 1e-12)
    applied = settings.take("with_spectral_norm", False)
    on_tables = settings.take("with_embedding_spectral_norm", None)
    places, attention = _attention(settings)
    init, unit_gain = _init(settings)
    multiples = _table(settings.take("channels_cfg", None), GENERATOR_CHANNELS, size)
    config = {
        "type": "ResNetGenerator",
        "image_size": size,
        "num_classes": settings.take("num_classes", 0) if settings.take("use_cbn", True) else 0,
        "latent_dim": settings.take("noise_size", 128),
        "channels": [base * multiple for multiple in (*multiples, 1)],
        "bottom_size": settings.take("input_scale", 4),
        "attention_blocks": places,
        "activation_name": activation_settings(settings)[0],
        "spectral_norm": _styled(style, eps) if applied else None,
        "attention_spectral_norm": _attention_spectral(attention, style),
        "outer_spectral_norm": OUTER_SPECTRAL if applied else None,
        "condition_spectral_norm": _styled(style, eps)
        if (applied if on_tables is None else on_tables)
        else None,
        "batch_norm": {"eps": settings.take("norm_eps", 1e-4)},
        "unit_gain": unit_gain,
        "init": init,
    }
    settings.finish()
    return config


def _discriminator_attention(settings: Settings, style: str) -> tuple[list[int], Config | bool]:
    """Return places and spectral norm; only attention behind the first block hears of the style.

    Raises:
        UnsupportedSetting: attentions with different styles in one network.
    """
    places, attention = _attention(settings)
    styles = {style if place == 0 else attention.values.get("sn_style", "ajbrock") for place in places}
    if len(styles) > 1:
        raise UnsupportedSetting(f"attention after blocks {places} mixes spectral norms {sorted(styles)}")
    return places, _attention_spectral(attention, next(iter(styles), style))


def _discriminator(spec: Spec) -> Config:
    settings = _constructor(spec)
    settings.require("input_channels", 3)
    settings.require("from_rgb_cfg", {"type": "SNGANDiscHeadResBlock"})
    settings.require("blocks_cfg", {"type": "SNGANDiscResBlock"})
    size, base = settings.take("input_scale"), settings.take("base_channels", 128)
    style, eps = settings.require("sn_style", "torch", "ajbrock"), settings.take("sn_eps", 1e-12)
    applied, classes = settings.take("with_spectral_norm", True), settings.take("num_classes", 0)
    places, attention = _discriminator_attention(settings, style)
    activation, in_place = activation_settings(settings)
    multiples = _table(settings.take("channels_cfg", None), DISCRIMINATOR_CHANNELS, size)
    halving = _table(settings.take("downsample_cfg", None), DOWNSAMPLE, size)
    backbone = {
        "type": "ResNetBackbone",
        "image_size": size,
        "channels": [base * multiple for multiple in (1, *multiples)],
        "downsample": [True, *halving],
        "attention_blocks": places,
        "attention_spectral_norm": attention,
        "activation_name": activation,
        "activated_shortcut": in_place,
        "spectral_norm": _styled(style, eps) if applied else None,
        "init": _init(settings)[0],
    }
    settings.finish()
    head: Config = {"type": "AdversarialHead", "spectral_norm": OUTER_SPECTRAL if applied else None}
    if classes:
        head |= {"type": "ProjectionHead", "num_classes": classes}
    return {"backbone": backbone, "heads": {"adv": head}}


MMAGIC_RESNET = register_peer(
    PeerFormat(
        name="mmagic_resnet",
        peer="mmagic",
        accepts=lambda spec: type_of(spec) in GENERATORS + DISCRIMINATORS,
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
