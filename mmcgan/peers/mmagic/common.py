"""What MMagic's (formerly MMGeneration's) networks share: names of layers, settings and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmcgan.peers.reading.shapes import Shapes, flatten
from mmcgan.peers.translation import (
    AJBROCK_SPECTRAL,
    DISCRIMINATOR,
    GENERATOR,
    TORCH_SPECTRAL,
    Config,
    Exported,
    Settings,
    Slots,
    Spec,
    State,
    Table,
    UnsupportedSetting,
    below,
    peer_format,
    translate,
)

# --- names ----------------------------------------------------------------------------------------
SLOTS: Table = (Slots("conv_blocks", "gamma"), ("^conv_blocks", "^blocks"))
HEADS: Table = (("^decision", "^heads.adv.linear"), ("^proj_y", "^heads.adv.embed"))


def layers(conv: str) -> Table:
    """Return the rows of blocks and attention; ``conv`` is the peer's name of convolution ``{i}``."""
    return (
        *((f"{layer}.conv", layer) for layer in (conv, "shortcut", "theta", "phi")),
        *((f"^attention.{{i}}.{layer}.conv", f"^attention.{{i}}.{layer}") for layer in "go"),
        (conv, "conv{i}"),
        ("theta", "query"),
        ("phi", "key"),
        ("^attention.{i}.g", "^attention.{i}.value"),
        ("^attention.{i}.o", "^attention.{i}.output"),
        *AJBROCK_SPECTRAL,
        *TORCH_SPECTRAL,
    )


def discriminator_end() -> Table:
    """Return the rows that end a discriminator's table."""
    return (*below("backbone", "blocks", "attention", "input_conv"), *HEADS)


# --- settings -------------------------------------------------------------------------------------
ACTIVATIONS = {"ReLU": "relu", "ELU": "elu", "GELU": "gelu", "SiLU": "silu"}
LEAKY, LEAKY_SLOPE = "leaky_relu_", 0.01  # torch's default, which the peer's configs inherit
STYLES = ("ajbrock", "torch")
#: What a config says and weights do not show.
UNSEEN = ("activation_name", "activated_shortcut", "unit_gain", "eps", "mapping_lr_mult", "minibatch_group")


def constructor(spec: Spec) -> Settings:
    """Return the settings of a constructor without those that change no network; images are RGB with us."""
    settings = Settings(spec["constructor"])
    settings.ignore("type", "auto_sync_bn", "pretrained", "rgb2bgr", "rgb_to_bgr")
    return settings


def spectral_of(style: str, eps: float) -> Config:
    """Return the options of one of the two styles: sigma is a constant in backward in the peer's own."""
    return {"eps": eps, "iterate_in_eval" if style == "torch" else "differentiable": False}


def style_of(shapes: Shapes) -> str:
    """Return the style of a network's spectral norm."""
    return "torch" if any(key.endswith(".spectral.v0") for key in shapes.shapes) else "ajbrock"


def read_activation(settings: Settings) -> tuple[str, bool]:
    """Return our name of the activation and whether it works in place."""
    config = dict(settings.take("act_cfg", {"type": "ReLU"}))
    kind, in_place = config.pop("type"), bool(config.pop("inplace", False))
    if kind == "LeakyReLU":
        return f"{LEAKY}{config.get('negative_slope', LEAKY_SLOPE)}", in_place
    if config:
        raise UnsupportedSetting(f"act_cfg: unknown settings {config} of {kind}")
    return translate("act_cfg.type", kind, ACTIVATIONS), in_place and kind != "GELU"


def write_activation(own: Config) -> Config:
    """Return the ``act_cfg`` of a generator or backbone."""
    name = own["activation_name"]
    kind: Config = {"type": next((k for k, v in ACTIVATIONS.items() if v == name), name)}
    if name.startswith(LEAKY):
        kind = {"type": "LeakyReLU", "negative_slope": float(name.removeprefix(LEAKY))}
    return {**kind, "inplace": True} if own.get("activated_shortcut") else kind


def head(classes: int, norm: Config | None) -> dict[str, Config]:
    """Return the head: a projection where there are classes."""
    if classes:
        return {"adv": {"type": "ProjectionHead", "num_classes": classes, "spectral_norm": norm}}
    return {"adv": {"type": "AdversarialHead", "spectral_norm": norm}}


def stated(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the model of the peer's config says and weights do not show; skip what is refused."""
    model = found.get("model")
    model = model if isinstance(model, Mapping) else {}
    settings: dict[str, Any] = {}
    for player in (GENERATOR, DISCRIMINATOR):
        spec = {"constructor": dict(model.get(player) or {})}
        try:
            read = flatten(peer_format("mmagic", spec).read(spec))
        except (UnsupportedSetting, TypeError, KeyError, AttributeError):
            continue
        kept = {path: value for path, value in read.items() if path.rpartition(".")[2] in UNSEEN}
        settings |= {f"{player}.{path}": value for path, value in kept.items()}
    return settings


def files(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    """Return the one file of a runner."""
    prefixes = {"G_ema": "generator_ema.", "G": "generator.", "D": "discriminator."}
    state = {
        f"{prefixes[name]}{key}": value
        for name, exported in exports.items()
        for key, value in exported.state.items()
    }
    return {f"iter_{step}.pth": {"state_dict": state, "meta": {"iter": step}}}


# --- recognition ----------------------------------------------------------------------------------
def type_of(spec: Spec) -> str:
    """Return the class name of the peer's network, or an empty text."""
    settings = spec.get("constructor")
    return str(settings.get("type", "")) if isinstance(settings, Mapping) else ""


def role_of(spec: Spec) -> str:
    """Read the player from the class name."""
    return GENERATOR if type_of(spec).endswith("Generator") else DISCRIMINATOR


def present(spec: Spec, outputs: State) -> State:
    """Turn images to BGR where the peer does."""
    settings = spec["constructor"]
    if not (settings.get("rgb2bgr") or settings.get("rgb_to_bgr")):
        return outputs
    return {name: value.flip(1) for name, value in outputs.items()}


def in_place(state: Mapping[str, Tensor]) -> list[Config]:
    """Return both ways of the rectifiers: published configs have them in place, the defaults not."""
    return [{"activated_shortcut": value} for value in (True, False)]
