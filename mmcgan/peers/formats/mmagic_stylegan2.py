"""MMagic's (formerly MMGeneration's) StyleGAN2."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.format import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    PeerNetwork,
    Settings,
    Spec,
    State,
    Table,
)
from mmcgan.peers.formats.mmagic_biggan import role_of, type_of
from mmcgan.peers.formats.stylegan2_ada import MAPPING
from mmcgan.structures import Condition

TYPES = ("StyleGAN2Generator", "StyleGANv2Generator", "StyleGAN2Discriminator", "StyleGANv2Discriminator")
#: What changes precision, or where weights come from.
PRECISION = ("num_fp16_scales", "fp16_enabled", "out_fp32", "convert_input_fp32", "pretrained", "init_cfg")
BOTTOM = 4
#: Largest size at which the peer's channels are 512 whatever the multiplier.
WIDE = 32
#: Epsilons of its pixel norm that differ from ours by less than rounding.
NORM_EPS = (1e-6, 1e-8)

LAYERS: Table = (
    (r"\.kernel$", None),
    (r"\.style_modulation\.linear\.weight_orig$", ".style.weight"),
    (r"\.conv\.style_modulation\.", ".style."),
    (r"\.conv\.style\.", ".style."),
    (r"(\.conv|\.linear)?\.weight_orig$", ".weight"),
    (r"\.noise_injector\.weight$", ".noise_strength"),
    (r"\.activate\.bias$", ".bias"),
)


def _sizes(pattern: str, replacement: str, count: int = 9) -> Table:
    """Return rows that turn the peer's index of a size above the bottom into that size."""
    return tuple(
        (pattern.format(even=2 * i, odd=2 * i + 1, index=i), replacement.format(size=2 * BOTTOM << i))
        for i in range(count)
    )


GENERATOR_TABLE: Table = (
    *LAYERS,
    (r"^w_avg$", "mean_style"),
    (r"^embed\.", "mapping.label."),
    (r"^style_mapping\.", "mapping.layers."),
    (r"^constant_input\.input$", "constant"),
    (r"^conv1\.", "blocks.4.conv1."),
    (r"^to_rgb1\.", "blocks.4.to_rgb."),
    *_sizes(r"^convs\.{even}\.", "blocks.{size}.conv0."),
    *_sizes(r"^convs\.{odd}\.", "blocks.{size}.conv1."),
    *_sizes(r"^to_rgbs\.{index}\.", "blocks.{size}.to_rgb."),
    (r"^injected_noise_0$", "blocks.4.conv1.noise"),
    *_sizes(r"^injected_noise_{odd}$", "blocks.{size}.conv0.noise"),
    *((rf"^injected_noise_{2 * i + 2}$", f"blocks.{2 * BOTTOM << i}.conv1.noise") for i in range(9)),
)
DISCRIMINATOR_TABLE: Table = (
    *LAYERS,
    *MAPPING,
    (r"^mapping\.", "heads.adv.mapping."),
    (r"^size(\d+)\.0\.[01]\.", r"backbone.from_rgb.\1."),
    (r"^size(\d+)\.conv1\.\d\.", r"backbone.blocks.\1.conv0."),
    (r"^size(\d+)\.conv2\.\d\.", r"backbone.blocks.\1.conv1."),
    (r"^size(\d+)\.skip\.\d\.", r"backbone.blocks.\1.shortcut."),
    (r"^final_conv\.\d\.", "backbone.last_conv."),
    (r"^final_linear\.0\.", "backbone.last_linear."),
    (r"^final_linear\.1\.", "heads.adv.linear."),
)


@dataclass(frozen=True)
class StyleGAN2Format(PeerFormat):
    """Positions that depend on the rest of the network, and axes of length 1 that ours lack."""

    def key_map(self, keys: Iterable[str], role: str) -> dict[str, str]:
        """Return our key for every key of the peer that is kept."""
        keys = list(keys)
        placed = {self._placed(key, keys, role): key for key in keys}
        renamed = super().key_map(placed, role)
        return {placed[key]: ours for key, ours in renamed.items()}

    def _placed(self, key: str, keys: Sequence[str], role: str) -> str:
        """Count mapping layers from 0, and name the discriminator's convolutions by their size."""
        name = "style_mapping" if role == GENERATOR else "convs"
        indices = [int(found[1]) for other in keys if (found := re.match(rf"{name}\.(\d+)\.", other))]
        found = re.match(rf"{name}\.(\d+)\.(.*)", key)
        if not found:
            return key
        if role == GENERATOR:
            return f"style_mapping.{int(found[1]) - min(indices)}.{found[2]}"
        size = BOTTOM << (max(indices) + 1 - max(1, int(found[1])))
        # what stands at index 0 has no block's name behind it
        return f"size{size}.{'0.' if found[1] == '0' else ''}{found[2]}"

    def network(self, spec: Spec, state: Mapping[str, Tensor]) -> PeerNetwork:
        """Return our network with the peer's weights, whose shapes say how wide it is."""
        shapes = {f"state/{key}": {"shape": list(value.shape)} for key, value in state.items()}
        return super().network({**spec, "tensors": shapes}, state)

    def convert_state(self, state: Mapping[str, Tensor], role: str) -> State:
        """Return our state dict."""
        return {key: _without_ones(key, value) for key, value in super().convert_state(state, role).items()}

    def generate(
        self, module: nn.Module, latent: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Return images; in training with the noise that the peer was given."""
        given = recorded_noise(inputs)
        if not (module.training and given):
            return module(latent, condition)
        return module.synthesize_styles(module.map(latent, condition), given)  # type: ignore[operator]


def recorded_noise(inputs: Mapping[str, Tensor]) -> list[Tensor]:
    """Return the noise of every layer that a description records, if it does."""
    count = sum(name.startswith("injected_noise_") for name in inputs)
    return [inputs[f"injected_noise_{index}"] for index in range(count)]


def _without_ones(key: str, value: Tensor) -> Tensor:
    if key.endswith("noise_strength"):
        return value.reshape(())
    if key == "constant" or (key.endswith(".weight") and value.dim() == 5):
        return value[0]
    if key.endswith(".noise"):
        return value[0, 0]
    return value.flatten() if key.endswith(".bias") else value


def _described_shape(spec: Spec, key: str) -> list[int] | None:
    """Return the shape of a stored tensor, where a description lists it."""
    entry = spec.get("tensors", {}).get(f"state/{key}")
    return list(entry["shape"]) if isinstance(entry, Mapping) else None


def _channels(spec: Spec, size: int, multiplier: float) -> list[int]:
    """Return the channels at 4, 8, ... ``size``, as described or as the peer's table has them."""
    steps = range((size // BOTTOM).bit_length())
    first = _described_shape(spec, "constant_input.input")
    if first:
        keys = [f"convs.{2 * step - 1}.conv.weight_orig" for step in steps[1:]]
        return [first[1], *((_described_shape(spec, key) or [0, 0])[1] for key in keys)]
    last = _described_shape(spec, "final_conv.0.conv.weight_orig")
    if last:
        keys = [f"convs.{step}.skip.1.conv.weight_orig" for step in reversed(steps[1:])]
        inputs = [(_described_shape(spec, key) or [0, 0])[1] for key in keys]
        return [last[0], *inputs]
    table = {BOTTOM << step: 16384 / (BOTTOM << step) * multiplier for step in steps}
    return [512 if width <= WIDE else int(channels) for width, channels in table.items()]


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor"])
    settings.ignore("type", *PRECISION, "bgr2rgb", "default_style_mode", "eval_style_mode")
    settings.require("out_channels", 3)
    settings.require("norm_eps", *NORM_EPS)
    size, width = settings.take("out_size"), settings.take("style_channels")
    classes = settings.take("cond_size", None) or 0
    tracked = settings.take("update_mean_latent_with_ema", False) or classes
    decay = settings.take("w_avg_beta", 0.998)
    settings.ignore("mix_prob")  # the peer's caller hands over the latents to mix
    config = {
        "type": "StyleGAN2Generator",
        "image_size": size,
        "num_classes": classes,
        "latent_dim": settings.take("noise_size", None) or width,
        "style_dim": width,
        "label_dim": settings.take("cond_mapping_channels", None) or 0,
        "mapping_layers": settings.take("num_mlps", 8),
        "mapping_lr_mult": settings.take("lr_mlp", 0.01),
        "channels": _channels(spec, size, settings.take("channel_multiplier", 2)),
        "taps": tuple(settings.take("blur_kernel", (1, 3, 3, 1))),
        "mean_decay": decay if tracked else None,
        "style_mixing": 0.0,
    }
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor"])
    settings.ignore("type", *PRECISION, "input_bgr2rgb")  # its weights are of RGB, as ours
    settings.require("img_channels", 3)
    size, classes = settings.take("in_size"), settings.take("cond_size", None) or 0
    groups = Settings(settings.take("mbstd_cfg", None) or {})
    backbone = {
        "type": "StyleGAN2Backbone",
        "image_size": size,
        "channels": _channels(spec, size, settings.take("channel_multiplier", 2)),
        "taps": tuple(settings.take("blur_kernel", (1, 3, 3, 1))),
        "minibatch_group": groups.take("group_size", 4),
        "minibatch_channels": groups.require("channel_groups", 1),
    }
    groups.ignore("sync_std", "sync_groups", "eps")
    groups.finish()
    dim, layers = settings.take("cond_mapping_channels", None), settings.take("cond_mapping_layers", None)
    settings.finish()
    head: Config = {"type": "AdversarialHead", "spectral_norm": False}
    if classes:
        sizes = {"num_classes": classes, "dim": dim or 512, "num_layers": layers or 8}
        head = {"type": "MappedProjectionHead", **sizes}
    return {"backbone": backbone, "heads": {"adv": head}, "init": "equalized"}


def present(spec: Spec, outputs: State) -> State:
    """Turn images to BGR where the peer does."""
    flipped = role_of(spec) == GENERATOR and spec["constructor"].get("bgr2rgb")
    return {name: value.flip(1) for name, value in outputs.items()} if flipped else outputs


def receive(spec: Spec, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Turn images that the peer is given as BGR and turns itself."""
    if not spec["constructor"].get("input_bgr2rgb"):
        return inputs
    return {name: value.flip(1) if name == "x" else value for name, value in inputs.items()}


MMAGIC_STYLEGAN2 = register_peer(
    StyleGAN2Format(
        name="mmagic_stylegan2",
        peer="mmagic",
        accepts=lambda spec: type_of(spec) in TYPES,
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        inputs={"z": "latent", "x": "image", "label_onehot": "label"},
        outputs={"": "adv.logit"},
        present=present,
        receive=receive,
    )
)
