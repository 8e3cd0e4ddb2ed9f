"""MMagic's (formerly MMGeneration's) SNGAN and SAGAN generators and their projection discriminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

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
    type_of,
    write_activation,
)
from mmcgan.peers.reading import backbones, generators
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    EITHER,
    GENERATOR,
    ROW_VECTORS,
    Config,
    FirstApart,
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
    write_pairs,
)
from mmcgan.peers.writing.describing import (
    attention_places,
    block_widths,
    classes_of,
    eps_of,
    inner_shapes,
    own_config,
)

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
NORM_EPS = 1e-4

GENERATOR_TABLE: Table = (
    *SLOTS,
    ("^noise2feat", "^linear"),
    ("^to_rgb.bn", "^output_norm.norm"),
    ("^to_rgb.conv", "^output_conv"),
    ("norm_{i}", "norm{i}"),
    ("norm{i}.weight_embedding", "norm{i}.gain"),
    ("norm{i}.bias_embedding", "norm{i}.bias"),
    *layers("conv_{i}"),
)
DISCRIMINATOR_TABLE: Table = (
    FirstApart("from_rgb", "conv_blocks"),
    *SLOTS,
    *layers("conv_{i}"),
    *discriminator_end(),
)

OF_GENERATOR = (
    Pair("output_scale", "image_size"),
    Pair("noise_size", "latent_dim", 128),
    Pair("input_scale", "bottom_size", 4),
)


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
    return spectral_of(style, eps) if applied else False


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


def _generator(spec: Spec) -> Config:
    settings = constructor(spec)
    settings.require("out_channels", 3)
    settings.require("blocks_cfg", {"type": "SNGANGenResBlock"})
    sizes, base = read_pairs(settings, OF_GENERATOR), settings.take("base_channels", 64)
    style, eps = settings.require("sn_style", *reversed(STYLES)), settings.take("sn_eps", 1e-12)
    applied = settings.take("with_spectral_norm", False)
    on_tables = settings.take("with_embedding_spectral_norm", None)
    on_tables = applied if on_tables is None else on_tables
    places, attention = _attention(settings)
    init, unit_gain = _init(settings)
    multiples = _table(settings.take("channels_cfg", None), GENERATOR_CHANNELS, sizes["image_size"])
    classes = settings.take("num_classes", 0)
    config = {
        "type": "ResNetGenerator",
        **sizes,
        "num_classes": classes if settings.take("use_cbn", True) else 0,
        "channels": [base * multiple for multiple in (*multiples, 1)],
        "attention_blocks": places,
        "activation_name": read_activation(settings)[0],
        "spectral_norm": spectral_of(style, eps) if applied else None,
        "attention_spectral_norm": _attention_spectral(attention, style),
        "outer_spectral_norm": OUTER_SPECTRAL if applied else None,
        "condition_spectral_norm": spectral_of(style, eps) if on_tables else None,
        "batch_norm": {"eps": settings.take("norm_eps", NORM_EPS)},
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
    settings = constructor(spec)
    settings.require("input_channels", 3)
    settings.require("from_rgb_cfg", {"type": "SNGANDiscHeadResBlock"})
    settings.require("blocks_cfg", {"type": "SNGANDiscResBlock"})
    size, base = settings.take("input_scale"), settings.take("base_channels", 128)
    style, eps = settings.require("sn_style", *reversed(STYLES)), settings.take("sn_eps", 1e-12)
    applied, classes = settings.take("with_spectral_norm", True), settings.take("num_classes", 0)
    places, attention = _discriminator_attention(settings, style)
    activation, activated = read_activation(settings)
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
        "activated_shortcut": activated,
        "spectral_norm": spectral_of(style, eps) if applied else None,
        "init": _init(settings)[0],
    }
    settings.finish()
    return {"backbone": backbone, "heads": head(classes, OUTER_SPECTRAL if applied else None)}


# --- the way back ---------------------------------------------------------------------------------
def _describe(role: str, config: Config, network: Any) -> Config:
    """Return what ``SAGANGenerator`` or ``ProjDiscriminator`` is called with for a network of ours."""
    shapes, places = inner_shapes(network), attention_places(network)
    own = own_config(role, config, network)
    norm = own["spectral_norm"]
    applied = shapes.spectral("blocks.0.conv1") is not None
    style = "torch" if not applied or "blocks.0.conv1.spectral.v0" in shapes else "ajbrock"
    attended = all(shapes.spectral(f"attention.{place}.query") is not None for place in places)
    widths = block_widths(shapes)
    attention = {"type": "SelfAttentionBlock", "with_spectral_norm": attended}
    settings: Config = {
        "num_classes": classes_of(config),
        "act_cfg": write_activation(own),
        "with_spectral_norm": applied,
        "sn_style": style,
        "sn_eps": norm.get("eps", OUTER_SPECTRAL["eps"]) if isinstance(norm, Mapping) else ATTENTION_EPS,
        "attention_after_nth_block": [place + 1 for place in places] or 0,
    }
    if role == GENERATOR:
        more = _describe_generator(own, network, widths)
    else:
        attention["sn_style"] = style
        more = {
            "type": "ProjDiscriminator",
            "input_scale": own["image_size"],
            "base_channels": widths[0],
            "channels_cfg": [width // widths[0] for width in widths[1:]],
            "downsample_cfg": [bool(block.downsample) for block in network.backbone.blocks][1:],
        }
    return {"constructor": {**settings, "attention_cfg": attention, **more}}


def _describe_generator(own: Config, network: nn.Module, widths: list[int]) -> Config:
    shapes = inner_shapes(network)
    before = [shapes["blocks.0.conv1.weight"][1], *widths[:-1]]
    return {
        "type": "SAGANGenerator",
        **write_pairs(own, OF_GENERATOR),
        "base_channels": widths[-1],
        "channels_cfg": [width // widths[-1] for width in before],
        "use_cbn": bool(own["num_classes"]),
        "with_embedding_spectral_norm": shapes.spectral("blocks.0.norm1.gain") is not None,
        "norm_eps": eps_of(own),
        "init_cfg": {"type": "BigGAN" if own["unit_gain"] else "SAGAN"},
    }


# --- what weights say -----------------------------------------------------------------------------
def unit_gain(state: Mapping[str, Tensor]) -> list[Config]:
    """Return both meanings of conditional gains: the gain itself, or what 1 is added to."""
    if not any(key.endswith("weight_embedding.weight") or ".weight_embedding." in key for key in state):
        return [{}]
    return [{"unit_gain": value} for value in (True, False)]


#: Blocks and size of discriminators, and how many blocks from the first on halve it; the first always does.
HALVING = {len(steps) + 1: (size, 1 + sum(steps)) for size, steps in DOWNSAMPLE.items()}
EPS_12, ATTENTION_NORM = {"eps": OUTER_SPECTRAL["eps"]}, {"attention_spectral_norm": {"eps": ATTENTION_EPS}}

MMAGIC_RESNET = register_peer(
    PeerFormat(
        name="mmagic_resnet",
        peer="mmagic",
        accepts=lambda spec: type_of(spec) in GENERATORS + DISCRIMINATORS,
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=residual_reading(
            generators.resnet,
            partial(backbones.resnet, rule=HALVING),
            EPS_12,
            NORM_EPS,
            more_generator={
                "outer_spectral_norm": EPS_12,
                "condition_spectral_norm": EPS_12,
                **ATTENTION_NORM,
            },
            more_backbone=ATTENTION_NORM,
            one_norm=True,
            choices_generator=unit_gain,
            choices_backbone=in_place,
        ),
        writing=Writing(("ResNetGenerator", "ResNetBackbone"), _describe, files, EITHER),
        values=(ROW_VECTORS,),
        stated=stated,
        inputs={"z": "latent", "x": "image", "y": "label"},
        outputs={"": "adv.logit"},
        present=present,
    )
)
