"""What a peer's constructor has to be called with to build a network of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from mmcgan.models.layers.spectral_norm import SpectralNorm
from mmcgan.peers.formats import GENERATOR
from mmcgan.peers.reading.shapes import Config, Shapes

Settings = Callable[[str, Config, nn.Module], Config]


def _shapes(network: nn.Module) -> Shapes:
    return Shapes(network.state_dict())


def _spectral(network: nn.Module) -> tuple[bool, Config]:
    """Return whether the network has spectral norm, and its options."""
    first = next((m for m in network.modules() if isinstance(m, SpectralNorm)), None)
    if first is None:
        return False, {}
    options = first.options
    return True, {"eps": options.eps, "count": options.singular_values, "iterations": options.iterations}


def _eps(config: Mapping[str, Any], name: str = "batch_norm") -> float:
    return float((config.get(name) or {}).get("eps", 1e-5))


def _widths(shapes: Shapes, prefix: str = "") -> list[int]:
    count = shapes.blocks(f"{prefix}blocks")
    return [shapes[f"{prefix}blocks.{i}.conv1.weight"][0] for i in range(count)]


def _classes(config: Config) -> int:
    if "heads" not in config:
        return int(config["num_classes"])
    return max((int(head.get("num_classes") or 0) for head in config["heads"].values()), default=0)


def _unit(last: int, size: int, table: Mapping[int, int]) -> int:
    """Return the unit of a peer's channel table whose last entry is ``last``; what else differs shows later.

    Raises:
        ValueError: the peer has no networks of this size.
    """
    if size not in table:
        raise ValueError(f"image_size={size}, the format has {', '.join(map(str, table))}")
    return max(1, last // table[size])


# --- BigGAN-PyTorch --------------------------------------------------------------------------------
#: Channels after the last block of G, and of D, in units of the base.
LAST_G = {32: 4, 64: 2, 128: 1, 256: 1, 512: 1}
LAST_D = {32: 4, 64: 16, 128: 16, 256: 16, 512: 16}


def _sizes_after(size: int, places: Sequence[int], bottom: int = 4) -> str:
    """Return attention by the size of the map behind its block, ``0`` for none."""
    return "_".join(str(bottom << (place + 1)) for place in places) or "0"


def biggan_pytorch(role: str, config: Config, network: nn.Module) -> Config:
    """Return the settings of BigGAN-PyTorch's ``Generator`` or ``Discriminator``."""
    player = "G" if role == GENERATOR else "D"
    applied, spectral = _spectral(network)
    own = config if role == GENERATOR else config["backbone"]
    shared: Config = {
        "resolution": own["image_size"],
        "n_classes": _classes(config),
        f"{player}_param": "SN" if applied else "none",
        f"{player}_nl": own.get("activation_name", "relu"),
        "SN_eps": spectral.get("eps", 1e-6),
        f"num_{player}_SVs": spectral.get("count", 1),
        f"num_{player}_SV_itrs": spectral.get("iterations", 1),
    }
    reader = _biggan_generator if role == GENERATOR else _biggan_discriminator
    return {"constructor_kwargs": {**shared, **reader(config, network)}}


def _biggan_generator(config: Config, network: nn.Module) -> Config:
    shapes = _shapes(network)
    deep = config["type"] == "BigGANDeepGenerator"
    depth = int(config.get("depth", 2)) if deep else 1
    options = config.get("batch_norm") or {}
    last = shapes["output_conv.weight"][1] if "output_conv.weight" in shapes else 0
    label = shapes.get("condition.label.weight")
    latent = int(network.latent_dim)  # type: ignore[arg-type]
    settings: Config = {
        "G_ch": _unit(last, config["image_size"], LAST_G),
        "G_attn": _sizes_after(config["image_size"], [i // depth for i in shapes.indices("attention")]),
        "dim_z": latent,
        "hier": True if deep else bool(config.get("hierarchical", True)),
        "G_shared": label is not None,
        "shared_dim": label[1] if label else 0,
        "BN_eps": _eps(config),
        "cross_replica": bool(options.get("add_gain")),
        "mybn": bool(options.get("biased_variance")),
    }
    return {**settings, "G_depth": depth} if deep else settings


def _biggan_discriminator(config: Config, network: nn.Module) -> Config:
    shapes = _shapes(network)
    backbone = config["backbone"]
    deep = backbone["type"] == "BigGANDeepBackbone"
    depth = int(backbone.get("depth", 2)) if deep else 1
    size = backbone["image_size"]
    count = shapes.blocks("backbone.blocks")
    conv = "conv4" if deep else "conv2"
    last = shapes[f"backbone.blocks.{count - 1}.{conv}.weight"][0]
    stages = [place // depth for place in shapes.indices("backbone.attention")]
    attention = "_".join(str(size >> (stage + 1)) for stage in stages) or "0"
    if size == 32 and stages:  # its table calls every map of 32-pixel networks 16
        attention = "16"
    settings: Config = {
        "D_ch": _unit(last, size, LAST_D),
        "D_attn": attention,
        "D_wide": bool(backbone.get("wide", True)),
    }
    return {**settings, "D_depth": depth} if deep else settings


# --- StudioGAN -------------------------------------------------------------------------------------
ACTIVATIONS = {"relu": "ReLU", "leaky_relu_0.1": "Leaky_ReLU", "elu": "ELU", "gelu": "GELU"}
STUDIOGAN_LAST_G = {32: 4, 64: 1, 128: 1, 256: 1, 512: 1}
STUDIOGAN_LAST_D = {32: 2, 64: 16, 128: 16, 256: 16, 512: 16}
METHODS = {
    frozenset({"AdversarialHead"}): "W/O",
    frozenset({"ProjectionHead"}): "PD",
    frozenset({"AdversarialHead", "ClassifierHead"}): "AC",
    frozenset({"AdversarialHead", "ProxyHead"}): "2C",
    frozenset({"AdversarialHead", "DiscriminativeClassifierHead"}): "AC",
    frozenset({"AdversarialHead", "DiscriminativeProxyHead"}): "2C",
    frozenset({"PerClassHead"}): "MD",
    frozenset({"FakeClassHead"}): "MH",
}


def studiogan(backbone: str) -> Settings:
    """Return what describes StudioGAN's networks of a backbone."""

    def describe(role: str, config: Config, network: nn.Module) -> Config:
        applied, _ = _spectral(network)
        player = "g" if role == GENERATOR else "d"
        own = config if role == GENERATOR else config["backbone"]
        shapes = _shapes(network)
        places = shapes.indices("attention" if role == GENERATOR else "backbone.attention")
        word = ACTIVATIONS.get(own.get("activation_name", "relu"), own.get("activation_name"))
        settings: Config = {
            "img_size": own["image_size"],
            "num_classes": _classes(config),
            "apply_attn": bool(places),
            f"attn_{player}_loc": [place + 1 for place in places],
            f"{player}_act_fn": word,
            f"apply_{player}_sn": applied,
        }
        more = _studiogan_generator if role == GENERATOR else _studiogan_discriminator
        return {
            "kind": f"network/{backbone}/{player.upper()}",
            "model_config": {"backbone": backbone},
            "constructor_kwargs": {**settings, **more(config, shapes, network)},
        }

    return describe


def _studiogan_generator(config: Config, shapes: Shapes, network: nn.Module) -> Config:
    last = shapes["output_conv.weight"][1] if "output_conv.weight" in shapes else 0
    label = shapes.get("condition.label.weight")
    conditional = bool(config["num_classes"])
    return {
        "g_conv_dim": _unit(last, config["image_size"], STUDIOGAN_LAST_G),
        "z_dim": int(network.latent_dim),  # type: ignore[arg-type]
        "g_shared_dim": label[1] if label else 0,
        "g_cond_mtd": "cBN" if conditional else "W/O",
    }


def _studiogan_discriminator(config: Config, shapes: Shapes, network: nn.Module) -> Config:
    count = shapes.blocks("backbone.blocks")
    last = shapes[f"backbone.blocks.{count - 1}.conv2.weight"][0]
    heads = {name: head for name, head in config["heads"].items() if name in ("adv", "cls")}
    kinds = frozenset(head["type"] for head in heads.values())
    classifier = heads.get("cls", {})
    size = config["backbone"]["image_size"]
    settings: Config = {
        "d_conv_dim": _unit(last, size, STUDIOGAN_LAST_D),
        "d_cond_mtd": METHODS.get(kinds, " + ".join(sorted(kinds))),
        "d_embed_dim": classifier.get("embed_dim"),
        "normalize_d_embed": bool(classifier.get("normalize", "embed_dim" in classifier)),
    }
    settings |= _code_heads(config["heads"])
    if "twin" in config["heads"]:
        settings["aux_cls_type"] = "TAC"
    elif classifier.get("type", "").startswith("Discriminative"):
        settings["aux_cls_type"] = "ADC"
    return settings


def _code_heads(heads: Mapping[str, Config]) -> Config:
    """Return InfoGAN's settings."""
    discrete, continuous = heads.get("discrete_code"), heads.get("continuous_code")
    if not (discrete or continuous):
        return {}
    kind = "both" if discrete and continuous else "discrete" if discrete else "continuous"
    return {
        "info_type": kind,
        "info_num_discrete_c": (discrete or {}).get("codes", 1),
        "info_dim_discrete_c": (discrete or {}).get("values", 10),
        "info_num_conti_c": (continuous or {}).get("codes", 2),
    }


# --- MMagic ----------------------------------------------------------------------------------------
MMAGIC_ACTIVATIONS = {"relu": "ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU"}


def _style(shapes: Shapes) -> str:
    return "torch" if any(key.endswith(".spectral.v0") for key in shapes.shapes) else "ajbrock"


def _activation(own: Config) -> Config:
    name = own.get("activation_name", "relu")
    kind: Config = {"type": MMAGIC_ACTIVATIONS.get(name, name)}
    if name.startswith("leaky_relu_"):
        kind = {"type": "LeakyReLU", "negative_slope": float(name.removeprefix("leaky_relu_"))}
    return {**kind, "inplace": True} if own.get("activated_shortcut") else kind


def mmagic_biggan(role: str, config: Config, network: nn.Module) -> Config:
    """Return the settings of MMagic's ``BigGANGenerator`` or ``BigGANDiscriminator``."""
    applied, spectral = _spectral(network)
    shapes = _shapes(network)
    own = config if role == GENERATOR else config["backbone"]
    settings: Config = {
        "num_classes": _classes(config),
        "act_cfg": _activation(own),
        "with_spectral_norm": applied,
        "sn_style": _style(shapes),
        "sn_eps": spectral.get("eps", 1e-6),
    }
    reader = _mmagic_generator if role == GENERATOR else _mmagic_discriminator
    return {"constructor": {**settings, **reader(config, shapes, network)}}


def _mmagic_generator(config: Config, shapes: Shapes, network: nn.Module) -> Config:
    widths = _widths(shapes)
    entry = shapes["blocks.0.conv1.weight"][1]
    bottom = int(config.get("bottom_size", 4))
    label = shapes.get("condition.label.weight")
    places = shapes.indices("attention")
    return {
        "type": "BigGANGenerator",
        "output_scale": config["image_size"],
        "noise_size": int(network.latent_dim),  # type: ignore[arg-type]
        "base_channels": widths[-1],
        "input_scale": bottom,
        "with_shared_embedding": label is not None,
        "shared_dim": label[1] if label else 128,
        "split_noise": bool(config.get("hierarchical", True)),
        "out_norm_cfg": {"type": "BN", "eps": _eps(config, "output_batch_norm")},
        "arch_cfg": {
            "in_channels": [entry, *widths[:-1]],
            "out_channels": widths,
            "upsample": [True] * len(widths),
            "resolution": [bottom << (i + 1) for i in range(len(widths))],
            "attention": [i in places for i in range(len(widths))],
        },
    }


def _mmagic_discriminator(config: Config, shapes: Shapes, network: nn.Module) -> Config:
    count = shapes.blocks("backbone.blocks")
    widths = [shapes[f"backbone.blocks.{i}.conv2.weight"][0] for i in range(count)]
    places = shapes.indices("backbone.attention")
    halving = [bool(block.downsample) for block in network.backbone.blocks]  # type: ignore[union-attr]
    return {
        "type": "BigGANDiscriminator",
        "input_scale": config["backbone"]["image_size"],
        "base_channels": widths[0],
        "arch_cfg": {
            "in_channels": [3, *widths[:-1]],
            "out_channels": widths,
            "downsample": halving,
            "attention": [i in places for i in range(count)],
        },
    }


def mmagic_resnet(role: str, config: Config, network: nn.Module) -> Config:
    """Return the settings of MMagic's ``SAGANGenerator`` or ``ProjDiscriminator``."""
    shapes = _shapes(network)
    own = config if role == GENERATOR else config["backbone"]
    prefix = "" if role == GENERATOR else "backbone."
    applied = shapes.spectral(f"{prefix}blocks.0.conv1") is not None
    eps = (
        (own.get("spectral_norm") or {}).get("eps", 1e-12)
        if isinstance(own.get("spectral_norm"), Mapping)
        else 1e-6
    )
    places = shapes.indices(f"{prefix}attention")
    hooked = f"{prefix}blocks.0.conv1.spectral.v0" in shapes
    attended = f"{prefix}attention.{places[0]}.query.spectral.u0" in shapes if places else True
    settings: Config = {
        "num_classes": _classes(config),
        "act_cfg": _activation(own),
        "with_spectral_norm": applied,
        "sn_style": "ajbrock" if applied and not hooked else "torch",
        "sn_eps": eps,
        "attention_after_nth_block": [place + 1 for place in places] or 0,
        "attention_cfg": {"type": "SelfAttentionBlock", "with_spectral_norm": attended},
    }
    if role == GENERATOR:
        return {"constructor": {**settings, **_resnet_generator(config, shapes, network)}}
    settings["attention_cfg"]["sn_style"] = settings["sn_style"]
    return {"constructor": {**settings, **_resnet_discriminator(config, shapes, network)}}


def _resnet_generator(config: Config, shapes: Shapes, network: nn.Module) -> Config:
    widths = _widths(shapes)
    entry = shapes["blocks.0.conv1.weight"][1]
    last = widths[-1]
    multiples = [width // last for width in [entry, *widths[:-1]]]
    gain = bool(config.get("unit_gain", True))
    return {
        "type": "SAGANGenerator",
        "output_scale": config["image_size"],
        "noise_size": int(network.latent_dim),  # type: ignore[arg-type]
        "base_channels": last,
        "channels_cfg": multiples,
        "input_scale": int(config.get("bottom_size", 4)),
        "use_cbn": bool(config["num_classes"]),
        "with_embedding_spectral_norm": shapes.spectral("blocks.0.norm1.gain") is not None,
        "norm_eps": _eps(config),
        "init_cfg": {"type": "BigGAN" if gain else "SAGAN"},
    }


def _resnet_discriminator(config: Config, shapes: Shapes, network: nn.Module) -> Config:
    count = shapes.blocks("backbone.blocks")
    widths = [shapes[f"backbone.blocks.{i}.conv2.weight"][0] for i in range(count)]
    halving = [bool(block.downsample) for block in network.backbone.blocks]  # type: ignore[union-attr]
    return {
        "type": "ProjDiscriminator",
        "input_scale": config["backbone"]["image_size"],
        "base_channels": widths[0],
        "channels_cfg": [width // widths[0] for width in widths[1:]],
        "downsample_cfg": halving[1:],
    }


SETTINGS: dict[str, Settings] = {
    "biggan_pytorch": biggan_pytorch,
    "biggan_pytorch_deep": biggan_pytorch,
    "studiogan_big_resnet": studiogan("big_resnet"),
    "studiogan_resnet": studiogan("resnet"),
    "mmagic_biggan": mmagic_biggan,
    "mmagic_resnet": mmagic_resnet,
}
