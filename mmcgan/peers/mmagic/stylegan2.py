"""MMagic's (formerly MMGeneration's) StyleGAN2."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from mmcgan.models.layers.resample import FIRFilter
from mmcgan.models.style_table import BOTTOM_SIZE as BOTTOM
from mmcgan.models.style_table import style_channels
from mmcgan.peers.mmagic.common import files, role_of, stated, type_of
from mmcgan.peers.mmagic.stylegan2_names import DISCRIMINATOR_TABLE, GENERATOR_TABLE, VALUES
from mmcgan.peers.stylegan2_ada import KINDS, style_reading
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    PeerNetwork,
    Settings,
    Spec,
    State,
    Writing,
    complete,
    register_peer,
)
from mmcgan.peers.writing.describing import own_config
from mmcgan.structures import Condition

TYPES = ("StyleGAN2Generator", "StyleGANv2Generator", "StyleGAN2Discriminator", "StyleGANv2Discriminator")
#: What changes precision, or where weights come from.
PRECISION = ("num_fp16_scales", "fp16_enabled", "out_fp32", "convert_input_fp32", "pretrained", "init_cfg")
#: Largest size at which the peer's channels are 512 whatever the multiplier.
WIDE = 32
#: Channels times size above it, with a multiplier of 1.
WIDTH = 16384
#: Epsilons of its pixel norm that differ from ours by less than rounding.
NORM_EPS = (1e-6, 1e-8)


class StyleGAN2Format(PeerFormat):
    """Widths that no setting says, and noise that a description records."""

    def network(self, spec: Spec, state: Mapping[str, Tensor]) -> PeerNetwork:
        """Return our network with the peer's weights, whose shapes say how wide it is."""
        shapes = {f"state/{key}": {"shape": list(value.shape)} for key, value in state.items()}
        return super().network({**spec, "tensors": shapes}, state)

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
    table = {BOTTOM << step: WIDTH / (BOTTOM << step) * multiplier for step in steps}
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


# --- the way back ---------------------------------------------------------------------------------
def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``StyleGAN2Generator`` or ``StyleGAN2Discriminator`` is called with.

    Raises:
        ValueError: an architecture, clamp or head that the peer does not have.
    """
    own = own_config(role, config, network)
    architecture = "skip" if role == GENERATOR else "resnet"
    if own["architecture"] != architecture or own["clamp"] is not None:
        raise ValueError(f"it has architecture={architecture} and clamp=None alone")
    widths = own["channels"] or style_channels(own["image_size"], own["channel_base"], own["max_channels"])
    shared = {
        "channel_multiplier": widths[-1] * own["image_size"] / WIDTH if own["image_size"] > WIDE else 2,
        "blur_kernel": [float(tap) for tap in own["taps"]],
    }
    reader = _describe_generator if role == GENERATOR else _describe_discriminator
    return {"constructor": {**reader(config, own), **shared}}


def _describe_generator(config: Config, own: Config) -> Config:
    classes = own["num_classes"] or 0
    decay = {} if own["mean_decay"] is None else {"w_avg_beta": own["mean_decay"]}
    conditional = {"cond_size": classes, "cond_mapping_channels": own["label_dim"] or None}
    return {
        "type": "StyleGAN2Generator",
        "out_size": own["image_size"],
        "style_channels": own["style_dim"],
        "noise_size": own["latent_dim"],
        "num_mlps": own["mapping_layers"],
        "lr_mlp": own["mapping_lr_mult"],
        "update_mean_latent_with_ema": bool(decay),
        **decay,
        **(conditional if classes else {}),
    }


def _describe_discriminator(config: Config, own: Config) -> Config:
    head = complete(config["heads"]["adv"]) if "adv" in config["heads"] else {}
    conditional = {}
    if head.get("type") == "MappedProjectionHead":
        conditional = {
            "cond_size": head["num_classes"],
            "cond_mapping_channels": head["dim"] or 512,
            "cond_mapping_layers": head["num_layers"],
        }
    if own["minibatch_channels"] != 1:
        raise ValueError("it has minibatch_channels=1 alone")
    return {
        "type": "StyleGAN2Discriminator",
        "in_size": own["image_size"],
        "mbstd_cfg": {"group_size": own["minibatch_group"], "channel_groups": 1},
        **conditional,
    }


#: Layers with a filter, and the gain of doubling there.
KERNELS = (
    (re.compile(r"(convs\.\d*[02468]\.conv)\.weight_orig"), "blur.kernel", 4.0),
    (re.compile(r"(to_rgbs\.\d+)\.conv\.weight_orig"), "upsample.kernel", 4.0),
    (re.compile(r"(convs\.\d+\.conv2)\.1\.conv\.weight_orig"), "0.kernel", 1.0),
    (re.compile(r"(convs\.\d+\.skip)\.1\.conv\.weight_orig"), "0.kernel", 1.0),
)


def _kernels(state: State, network: nn.Module) -> State:
    """Return the low-pass filters that layers which change the size store."""
    kernel = next(module.kernel for module in network.modules() if isinstance(module, FIRFilter))
    return {
        f"{found[1]}.{leaf}": kernel * gain
        for key in state
        for pattern, leaf, gain in KERNELS
        if (found := pattern.fullmatch(key))
    }


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
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=style_reading(0.998),
        writing=Writing(KINDS, _describe, files, extras=_kernels),
        values=VALUES,
        stated=stated,
        inputs={"z": "latent", "x": "image", "label_onehot": "label"},
        outputs={"": "adv.logit"},
        present=present,
        receive=receive,
    )
)
