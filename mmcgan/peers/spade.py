"""SPADE: generator, multi-scale discriminator, encoder, and the layers they are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.models.backbones.patch import layer_name, map_name
from mmcgan.models.encoder import SPADEEncoder
from mmcgan.models.generators.spade import UPSAMPLING
from mmcgan.models.layers.spade import SPADE, SPADEBlock
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.reading import spade
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    TORCH_SPECTRAL,
    Config,
    PeerFormat,
    PeerNetwork,
    Reading,
    Settings,
    Spec,
    State,
    Table,
    UnsupportedSetting,
    Within,
    register_peer,
)
from mmcgan.structures import Condition

ENCODER, PART = "encoder", "part"
SPADE_NORM = re.compile(r"(spectral)?spade(syncbatch|batch|instance)(\d+)x\3")
OTHER_NORM = re.compile(r"spectral(instance|batch|sync_batch|none)?")
#: On one device their synchronised batch norm is a batch norm.
NORMS = {"syncbatch": "batch", "sync_batch": "batch", "": "none"}
ENCODER_SIDE = 256
ENCODER_PREFIX = "encoder."

BLOCK_TABLE: Table = (
    ("conv_0", "conv1"),
    ("conv_1", "conv2"),
    ("conv_s", "shortcut"),
    ("norm_0", "norm1"),
    ("norm_1", "norm2"),
    ("norm_s", "shortcut_norm"),
    ("mlp_shared.0", "shared"),
    ("mlp_gamma", "gain"),
    *((f"{layer}mlp_beta", f"{layer}bias") for layer in ("^", "norm{i}.", "shortcut_norm.")),
    ("param_free_norm", "norm"),
    *TORCH_SPECTRAL,
)
ENCODER_TABLE: Table = (
    *((f"^layer{index + 1}.0", f"^blocks.{index}") for index in range(6)),
    ("^fc_mu", "^mean"),
    ("^fc_var", "^log_variance"),
    *TORCH_SPECTRAL,
)
GENERATOR_TABLE: Table = (
    Within(ENCODER_PREFIX, ENCODER_TABLE),
    ("^fc", "^stem"),
    ("^conv_img", "^output_conv"),
    ("^head_0", "^blocks.0"),
    ("^G_middle_0", "^blocks.1"),
    ("^G_middle_1", "^blocks.2"),
    *((f"^up_{index}", f"^blocks.{index + 3}") for index in range(5)),
    *BLOCK_TABLE,
)


class ScaleLayers:
    """Layers of one scale: convolutions with a norm are nested, and the last of them is our head."""

    LAYER = re.compile(r"(discriminator_\d+)\.model(\d+)\.0\.(?:(1)\.|0\.)?(.*)")
    OURS = re.compile(r"(discriminator_\d+)\.(conv|norm)(\d+)\.(.*)")

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys as ``discriminator_0.conv1.…``, ``….norm1.…`` and ``….output.…``."""
        numbers = [int(found[1]) for key in keys if (found := re.search(r"\.model(\d+)\.", key))]
        return [self._flat(key, max(numbers, default=0)) for key in keys]

    def _flat(self, key: str, last: int) -> str:
        found = self.LAYER.fullmatch(key)
        if not found:
            return key
        kind = "norm" if found[3] else "conv"
        layer = "output" if int(found[2]) == last else f"{kind}{found[2]}"
        return f"{found[1]}.{layer}.{found[4]}"

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys with all but the first and last convolution nested if ``facts["nested"]``."""
        numbers = [int(found[3]) for key in keys if (found := self.OURS.match(key))]
        output = f".model{max(numbers, default=-1) + 1}.0."
        return [self._nested(key.replace(".output.", output), facts.get("nested", True)) for key in keys]

    def _nested(self, key: str, nested: bool) -> str:
        found = self.OURS.fullmatch(key)
        if not found:
            return key
        below = "1." if found[2] == "norm" else "0." if nested and int(found[3]) else ""
        return f"{found[1]}.model{found[3]}.0.{below}{found[4]}"


DISCRIMINATOR_TABLE: Table = (
    ScaleLayers(),
    ("^discriminator_{i}.output", "^heads.patch_{i}.conv"),
    ("^discriminator_{i}.norm{n}", "^backbone.blocks.{i}.{n}.norm"),
    ("^discriminator_{i}.conv{n}", "^backbone.blocks.{i}.{n}.conv"),
    *TORCH_SPECTRAL,
)


def _settings(spec: Spec) -> Settings:
    return Settings(spec["constructor_settings"])


def spade_norm(text: str) -> tuple[bool, Config]:
    """Return whether convolutions are spectrally normalised, and the options of the SPADE layers.

    Raises:
        UnsupportedSetting: another word.
    """
    found = SPADE_NORM.fullmatch(text)
    if not found:
        raise UnsupportedSetting(f"norm {text!r}; known are [spectral]spade<norm><k>x<k>")
    norm = NORMS.get(found[2], found[2])
    return bool(found[1]), {"norm": norm, "kernel_size": int(found[3])}


def other_norm(text: str) -> str:
    """Return the norm behind the spectrally normalised convolutions of discriminator and encoder.

    Raises:
        UnsupportedSetting: another word; without spectral norm the peer itself fails.
    """
    found = OTHER_NORM.fullmatch(text)
    if not found:
        raise UnsupportedSetting(f"norm {text!r}; known are spectral, spectralinstance and spectralbatch")
    return NORMS.get(found[1] or "", found[1])


def _generator(spec: Spec) -> Config:
    settings = _settings(spec)
    spectral, layers = spade_norm(settings.take("norm_G", "spectralspadesyncbatch3x3"))
    depth = settings.require("num_upsampling_layers", *UPSAMPLING)
    factor = 1 << sum(UPSAMPLING[depth])
    columns = settings.take("crop_size") // factor
    # Python's rounding, as the peer's
    rows = round(columns / settings.take("aspect_ratio", 1.0))
    base, latent_dim = settings.take("ngf", 64), settings.take("z_dim", 256)
    latent_dim = latent_dim if settings.take("use_vae", False) else 0
    channels = settings.take("semantic_nc")
    semantics = _semantics(settings) if "label_nc" in settings.values else {"num_map_classes": channels}
    settings.finish()
    # the peer's encoder is a network of its own; who trains with it says so
    encoder = {"encoder": {"base_channels": base}} if spec.get("with_encoder") else {}
    return {
        "type": "SPADEGenerator",
        "image_size": (rows * factor, columns * factor),
        **semantics,
        **encoder,
        "base_channels": base,
        "latent_dim": latent_dim,
        "upsampling": depth,
        "spectral_norm": asdict(CLASSIC_SPECTRAL) if spectral else None,
        **layers,
    }


def _semantics(settings: Settings) -> Config:
    """Return how a label map enters: its classes, and whether there are edges beside them."""
    dont_care = bool(settings.take("contain_dontcare_label", False))
    edges = not settings.take("no_instance", False)
    return {"num_map_classes": settings.take("label_nc") + dont_care, "has_edges": edges}


def _discriminator(spec: Spec) -> Config:
    settings = _settings(spec)
    settings.require("netD_subarch", "n_layer")
    settings.require("output_nc", 3)
    settings.ignore("no_ganFeat_loss")
    norm = other_norm(settings.take("norm_D", "spectralinstance"))
    scales = settings.take("num_D", 2)
    backbone = {
        "type": "PatchBackbone",
        **_semantics(settings),
        "base_channels": settings.take("ndf", 64),
        "num_scales": scales,
        "num_layers": settings.take("n_layers_D", 4),
        "norm": norm,
        "spectral_norm": asdict(CLASSIC_SPECTRAL),
    }
    settings.finish()
    heads = {
        f"patch_{scale}": {
            "type": "PatchHead",
            "kernel_size": 4,
            "spectral_norm": False,
            "feature": map_name(scale),
        }
        for scale in range(scales)
    }
    return {"backbone": backbone, "heads": heads, "init": "xavier_0.02"}


class SPADEFormat(PeerFormat):
    """The peer's networks take one-hot maps where ours take ids; these enter behind the encoding.

    An encoder, whose weights the peer keeps in a file of their own, belongs to a generator's state
    under ``encoder.``.
    """

    def call(self, network: PeerNetwork, given: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """Return the images for ``inputs['seg']``, a map of floats, or every layer and logit."""
        if network.role == DISCRIMINATOR:
            return self.discriminate(network.module, given["image"], Condition(), inputs)
        semantics, latent = inputs["seg"], given.get("latent", torch.empty(0))
        image = network.module.synthesize(latent.view(len(semantics), -1), semantics)  # type: ignore[operator]
        return {self.image: image}

    def discriminate(
        self, module: nn.Module, image: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> State:
        """Return every layer and the logits of every scale for a map with an image behind it."""
        features = module.backbone.features(image)  # type: ignore[operator, union-attr]
        outputs = {f"feature.{name}": value for name, value in features.items()}
        for name, head in module.heads.items():  # type: ignore[operator, union-attr]
            outputs[f"{name}.logit"] = head(features, condition)["logit"]
        return outputs

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return the role; the names of the other layers alone may be anybody's."""
        keys = list(keys)
        own = any(key.startswith(("head_0.", "discriminator_0.")) for key in keys)
        return super().recognise(keys) if own else None


def _numbered(spec: Spec, outputs: State) -> State:
    """Return the discriminator's outputs as the peer lists them: scale / layer, the logits last."""
    settings = spec["constructor_settings"]
    layers = 0 if settings.get("no_ganFeat_loss") else settings.get("n_layers_D", 4)
    found = {}
    for scale in range(settings.get("num_D", 2)):
        for index in range(layers):
            found[f"{scale}/{index}"] = outputs[f"feature.{layer_name(scale, index)}"]
        found[f"{scale}/{layers}"] = outputs[f"patch_{scale}.logit"][:, None]
    return found


def _is(kind: str) -> Callable[[Spec], bool]:
    return lambda spec: str(spec.get("kind", "")) == kind


def _role_of(spec: Spec) -> str:
    return DISCRIMINATOR if _is("network/D")(spec) else GENERATOR


SPADE_FORMAT = register_peer(
    SPADEFormat(
        name="spade",
        peer="spade",
        accepts=lambda spec: str(spec.get("kind")) in ("network/G", "network/D"),
        role_of=_role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=Reading(
            spade.generator,
            spade.backbone,
            assumed_generator={"spectral_norm": {"eps": CLASSIC_SPECTRAL.eps}},
            assumed_backbone={"spectral_norm": {"eps": CLASSIC_SPECTRAL.eps}},
        ),
        inputs={"z": "latent", "x": "image", "seg": "map"},
        present=lambda spec, outputs: _numbered(spec, outputs) if _is("network/D")(spec) else outputs,
    )
)


# --- parts of a generator -------------------------------------------------------------------------
class EncoderFormat(PeerFormat):
    """The encoder of a conditional VAE."""

    def build(self, spec: Spec) -> nn.Module:
        """Return our untrained encoder; the peer's always looks at 256 x 256 pixels.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
        """
        settings = _settings(spec)
        if settings.take("crop_size", ENCODER_SIDE) < ENCODER_SIDE:
            raise UnsupportedSetting(f"crop_size below {ENCODER_SIDE}, with which the peer's encoder fails")
        if other_norm(settings.take("norm_E", "spectralinstance")) != "instance":
            raise UnsupportedSetting("an encoder with another norm than instance norm")
        encoder = SPADEEncoder(256, settings.take("ngf", 64), ENCODER_SIDE)
        settings.ignore("z_dim", "aspect_ratio")
        settings.finish()
        return encoder

    def call(self, network: PeerNetwork, given: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """Return mean and log-variance under the peer's numbers."""
        mean, log_variance = network.module(given["image"])
        return {"0": mean, "1": log_variance}


class LayerFormat(PeerFormat):
    """A SPADE layer or block: features and a map in, features out."""

    def build(self, spec: Spec) -> nn.Module:
        """Return our untrained layer or block.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
        """
        settings = _settings(spec)
        block = _is("block")(spec)
        spectral, options = spade_norm(settings.take("norm_G" if block else "config_text"))
        map_channels = settings.take("semantic_nc" if block else "label_nc")
        layer = partial(SPADE, map_channels=map_channels, **options)
        if block:
            sizes = (settings.take("fin"), settings.take("fout"))
            part: nn.Module = SPADEBlock(*sizes, layer, CLASSIC_SPECTRAL if spectral else None)
        else:
            part = SPADE(settings.take("norm_nc"), map_channels, **options)
        settings.finish()
        return part

    def call(self, network: PeerNetwork, given: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """Return the features of ``x`` under ``seg``."""
        return {"": network.module(given["image"], inputs["seg"])}


register_peer(
    EncoderFormat(
        name="spade_encoder",
        peer="spade",
        accepts=_is("network/E"),
        role_of=lambda spec: ENCODER,
        configs={},
        tables={ENCODER: ENCODER_TABLE},
        inputs={"image": "image"},
    )
)
register_peer(
    LayerFormat(
        name="spade_layer",
        peer="spade",
        accepts=lambda spec: _is("layer")(spec) or _is("block")(spec),
        role_of=lambda spec: PART,
        configs={},
        tables={PART: BLOCK_TABLE},
        inputs={"x": "image", "seg": "map"},
    )
)
