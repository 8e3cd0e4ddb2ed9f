"""Projected GAN's discriminators: keys of ``pg_modules/discriminator.py`` and ``pg_modules/projector.py``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.models.layers.projection_blocks import MIXINGS
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.projected_gan.fastgan import PEER
from mmcgan.peers.reading import projected
from mmcgan.peers.reading.shapes import MisfitError
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    HOOK,
    TORCH_SPECTRAL,
    Config,
    PeerFormat,
    Reading,
    Settings,
    Spec,
    State,
    Table,
    Writing,
    complete,
    register_peer,
)
from mmcgan.peers.writing.describing import own_config
from mmcgan.peers.writing.files import one_file_each

#: Side at which the frozen network sees images that are resized.
INTERPOLATED = 224
#: Blocks of the scales, the finest first.
BLOCKS = (4, 3, 2, 1)
#: The peer's frozen network.
LITE: Config = {"type": "EfficientNetLite0"}
KIND = "projected_discriminator"
SPECTRAL = asdict(CLASSIC_SPECTRAL)


# --- names ----------------------------------------------------------------------------------------
#: Layers inside a block, and inside one with a 1x1 convolution more; the first that fits counts.
PLAIN = (
    ("main.0.depthwise", "depthwise"),
    ("main.0.pointwise", "conv"),
    ("main.0", "conv"),
    ("main.1", "norm"),
)
PATCH = (
    *((f"main.0.{theirs}", ours) for theirs, ours in PLAIN),
    ("main.1", "patch_conv"),
    ("main.2", "patch_norm"),
)


class ScaleLayers:
    """Layers of one scale: the peer nests its blocks, and its last layer is our head's convolution."""

    SCALE = re.compile(r"(.*?mini_discs\.\d+\.)(main\.(\d+)|cls)\.(.*)")
    OURS = re.compile(r"(.*?mini_discs\.\d+\.)(layers\.(\d+)|output)\.(.*)")

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys as ``layers.<number>.conv.…`` and ``output.…``."""
        found = [match for key in keys if (match := self.SCALE.fullmatch(key))]
        patch = any(match[4].startswith("main.0.main.") for match in found)
        numbers: dict[str, int] = {}
        for match in found:
            numbers[match[1]] = max(numbers.get(match[1], 0), int(match[3] or 0))
        conditional = {match[1] for match in found if match[2] == "cls"}
        entries = {match[1] for match in found if match[2] == "main.0" and match[4] == "weight_orig"}
        return [self._flat(key, numbers, conditional, entries, patch) for key in keys]

    def _flat(
        self, key: str, numbers: Mapping[str, int], conditional: set[str], entries: set[str], patch: bool
    ) -> str:
        match = self.SCALE.fullmatch(key)
        if not match:
            return key
        scale, number = match[1], int(match[3] or 0)
        if match[2] == "cls" or (scale not in conditional and number == numbers[scale]):
            return f"{scale}output.{match[4]}"
        if scale in entries and number == 0:
            return f"{scale}layers.0.0.{match[4]}"
        inside = _exchanged(match[4], PATCH if patch else PLAIN)
        # an activation counts as a layer of its own behind the entry
        return f"{scale}layers.{number - (scale in entries)}.{inside}"

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys nested."""
        found = [match for key in keys if (match := self.OURS.fullmatch(key))]
        patch = any(match[4].startswith("patch_conv.") for match in found)
        separable = any(match[4].startswith("depthwise.") for match in found)
        conditional = {
            scale for match in found if any(k.startswith(f"{(scale := match[1])}embed") for k in keys)
        }
        entries = {match[1] for match in found if match[2] == "layers.0" and match[4].startswith("0.")}
        counts: dict[str, int] = {}
        for match in found:
            counts[match[1]] = max(counts.get(match[1], 0), int(match[3] or -1) + 1)
        pairs = [pair for pair in (PATCH if patch else PLAIN) if _fits(pair[0], separable)]
        back = tuple((ours, theirs) for theirs, ours in pairs)
        return [self._nested(key, counts, conditional, entries, back) for key in keys]

    def _nested(
        self,
        key: str,
        counts: Mapping[str, int],
        conditional: set[str],
        entries: set[str],
        back: Sequence[tuple[str, str]],
    ) -> str:
        match = self.OURS.fullmatch(key)
        if not match:
            return key
        scale, later = match[1], match[1] in entries
        if match[2] == "output":
            last = f"main.{counts[scale] + later}"
            return f"{scale}{'cls' if scale in conditional else last}.{match[4]}"
        if later and match[3] == "0":
            return f"{scale}main.0.{match[4].removeprefix('0.')}"
        return f"{scale}main.{int(match[3]) + later}.{_exchanged(match[4], back)}"


def _exchanged(rest: str, pairs: Sequence[tuple[str, str]]) -> str:
    for source, target in pairs:
        if rest.startswith(f"{source}."):
            return target + rest.removeprefix(source)
    return rest


def _fits(theirs: str, separable: bool) -> bool:
    """Return whether a block has this layer: the plain convolution is the separable one's second half."""
    if theirs.endswith(("depthwise", "pointwise")):
        return separable
    return not (separable and re.fullmatch(r"(main\.0\.)?main\.0", theirs))


#: Layers of the mixing below ``scratch`` there, below ``mixing`` here.
MIXING = tuple(
    pair
    for layer in range(10)
    for pair in (
        (f"layer{layer}_ccm", f"channels.{layer}"),
        (f"layer{layer}_csm.out_conv", f"scales.{layer}"),
    )
)
SCALES, PARTS = "^discriminator.mini_discs.{i}", "^heads.adv.parts.{i}"
DISCRIMINATOR_TABLE: Table = (
    (None, "^backbone.frozen"),
    ("^feature_network.pretrained", None),
    ScaleLayers(),
    *((f"^feature_network.scratch.{theirs}", f"^backbone.mixing.{ours}") for theirs, ours in MIXING),
    (f"{SCALES}.layers", "^backbone.blocks.{i}"),
    (f"{SCALES}.output", f"{PARTS}.conv"),
    (f"{SCALES}.embed", f"{PARTS}.condition.label"),
    (f"{SCALES}.embed_proj.0", f"{PARTS}.linear"),
    *TORCH_SPECTRAL,
)


# --- the frozen network ---------------------------------------------------------------------------
FROZEN = "feature_network.pretrained."
#: First of timm's blocks behind every tap; the first tap has the stem and an activation in front.
FIRST, STEM = (0, 2, 3, 5), ("conv_stem", "bn1")
ACTIVATION = 1
#: Entries of its state dict that make maps.
WEIGHTS = 288


def peer_name(key: str) -> str | None:
    """Return the peer's name of one of timm's weights; None for those that make no map."""
    head, _, rest = key.partition(".")
    if head in STEM:
        return f"{FROZEN}layer0.{STEM.index(head)}.{rest}"
    if head != "blocks":
        return None
    block, _, rest = rest.partition(".")
    tap = max(index for index, first in enumerate(FIRST) if first <= int(block))
    number = int(block) - FIRST[tap] + (len(STEM) + ACTIVATION if tap == 0 else 0)
    return f"{FROZEN}layer{tap}.{number}.{rest}"


def frozen_weights(extractor: Any) -> State:
    """Return the weights of our extractor by the peer's names.

    Raises:
        ValueError: it is another network than the peer's.
    """
    network = dict(extractor.named_children()).get("network")
    state = {} if network is None else network.state_dict()
    named = {theirs: value for key, value in state.items() if (theirs := peer_name(key)) is not None}
    if len(named) != WEIGHTS:
        raise ValueError(f"its frozen network is tf_efficientnet_lite0, not {extractor.name}")
    return named


def _extractors(state: Mapping[str, Tensor]) -> list[Config]:
    """Return what the frozen network may be: the weights as published, or as the peer's code leaves them."""
    stored = any(key.startswith(FROZEN) for key in state)
    return [{"extractor": LITE}, *([{"extractor": {**LITE, "primed": True}}] if stored else [])]


def _frozen(state: State, network: nn.Module) -> State:
    """Return what the peer stores of the frozen network."""
    found = frozen_weights(network.backbone.frozen.network)  # type: ignore[union-attr]
    return {key: value.clone() for key, value in found.items()}


# --- settings -------------------------------------------------------------------------------------
def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    inner, narrow = Settings(settings.take("backbone_kwargs", {})), Settings(spec.get("narrow", {}))
    settings.ignore("diffaug")  # an augmentation of the training
    size = spec.get("image_size", INTERPOLATED)
    interpolated = settings.take("interp224", True)
    settings.finish()
    number, width = inner.take("num_discs", 4), narrow.take("ndf", None)
    head: Config = {"kernel_size": 4, "padding": 0, "spectral_norm": SPECTRAL}
    sizes = {
        "num_classes": narrow.take("c_dim", 1000),
        "dim": narrow.take("cmap_dim", 64),
        "embedding_dim": narrow.take("embedding_dim", 128),
    }
    if inner.take("cond", False):
        head = {"type": "PatchProjectionHead", **sizes, **head}
    else:
        head = {"type": "PatchHead", "bias": False, **head}
    backbone = {
        "type": "ProjectedBackbone",
        "image_size": size,
        "extractor": dict(spec.get("extractor", LITE)),
        "input_size": INTERPOLATED if interpolated else size,
        "mixing": MIXINGS[inner.take("proj_type", 2)],
        "mixed_channels": inner.take("cout", 64),
        "expand": inner.take("expand", True),
        "down_blocks": list(BLOCKS[:number]),
        "separable": inner.take("separable", False),
        "patch": inner.take("patch", False),
        **({"max_channels": width, "min_channels": width} if width else {}),
    }
    inner.finish()
    narrow.finish()
    heads = {"adv": {"type": "EachScale", "scales": number, "head": head}}
    return {"backbone": backbone, "heads": heads, "init": "default"}


def _describe(role: str, config: Config, network: Any) -> Config:
    """Return what ``ProjectedDiscriminator`` is called with; ``narrow`` is what it fixes.

    Raises:
        ValueError: another frozen network, other scales or heads than the peer's.
    """
    own, backbone = own_config(role, config, network), network.backbone
    frozen_weights(backbone.frozen.network)
    counts = [len(blocks) for blocks in backbone.blocks]
    if own["entry_convolution"] or counts != list(BLOCKS[: len(counts)]):
        raise ValueError(f"its scales have {BLOCKS} blocks and no entry_convolution, not {counts}")
    if backbone.frozen.input_size not in (INTERPOLATED, own["image_size"]):
        raise ValueError(f"its frozen network sees images at {INTERPOLATED} pixels, or as they are")
    each = config["heads"].get("adv", {})
    if each.get("type") != "EachScale":
        raise ValueError("it has a head on each scale, called adv")
    head, narrow = complete(each["head"]), {}
    if own["max_channels"] == own["min_channels"]:
        narrow["ndf"] = own["max_channels"]
    conditional = head["type"] == "PatchProjectionHead"
    if conditional:
        narrow |= {
            "c_dim": head["num_classes"],
            "cmap_dim": head["dim"],
            "embedding_dim": head["embedding_dim"],
        }
    return {
        "kind": KIND,
        "image_size": own["image_size"],
        "extractor": own["extractor"],
        "narrow": narrow,
        "constructor_kwargs": {
            "diffaug": False,
            "interp224": backbone.frozen.input_size == INTERPOLATED,
            "backbone_kwargs": {
                "cout": own["mixed_channels"],
                "expand": own["expand"],
                "proj_type": MIXINGS.index(own["mixing"]),
                "num_discs": backbone.num_scales,
                "separable": own["separable"],
                "cond": conditional,
                "patch": own["patch"],
            },
        },
    }


class ProjectedFormat(PeerFormat):
    """The peer stores the frozen network, of which ours keeps the hash."""

    def supplied(self, build: Callable[[], nn.Module], state: Mapping[str, Tensor]) -> State:
        """Return the hash of our frozen network.

        Raises:
            MisfitError: the peer's is another one.
        """
        backbone: Any = build().backbone
        theirs = {key: value for key, value in state.items() if key.startswith(FROZEN)}
        try:
            ours = frozen_weights(backbone.frozen.network) if theirs else {}
        except ValueError as error:
            raise MisfitError(str(error)) from error
        other = [k for k, v in theirs.items() if k not in ours or not torch.allclose(v, ours[k], 1e-4, 1e-6)]
        if other:
            raise MisfitError(
                f"{len(other)} of {len(theirs)} weights of its frozen network ({other[0]}, ...) are "
                f"not those of {backbone.frozen.name}; give discriminator.backbone.extractor"
            )
        return {"backbone.frozen.fingerprint": backbone.frozen.fingerprint}


PROJECTED_DISCRIMINATOR = register_peer(
    ProjectedFormat(
        name="projected_gan_discriminator",
        peer=PEER,
        accepts=lambda spec: str(spec.get("kind")) == KIND,
        role_of=lambda spec: DISCRIMINATOR,
        configs={DISCRIMINATOR: _discriminator},
        tables={DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=Reading(
            None,
            projected.backbone,
            assumed_backbone={"input_size": INTERPOLATED},
            choices_backbone=_extractors,
        ),
        writing=Writing(("ProjectedBackbone",), _describe, one_file_each, HOOK, extras=_frozen),
        lacks={GENERATOR: "Projected GAN's generators are FastGAN's, in a form of their own"},
        inputs={"x": "image", "c": "label"},
    )
)
