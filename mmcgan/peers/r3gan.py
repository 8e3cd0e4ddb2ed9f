"""R3GAN's networks: keys of ``R3GAN/Networks.py``, with or without the wrapper's ``Model.``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.differences import largest
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.generators import R3GANGenerator
from mmcgan.models.heads import InnerProductHead
from mmcgan.models.layers.resample import FIRFilter
from mmcgan.peers.reading import r3gan
from mmcgan.peers.reading.shapes import MisfitError
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    Pair,
    PeerFormat,
    Reading,
    ReadOnly,
    Settings,
    Spec,
    State,
    Table,
    Writing,
    read_pairs,
    register_peer,
    turned,
    write_pairs,
)
from mmcgan.peers.writing.describing import own_config
from mmcgan.peers.writing.files import one_file_each
from mmcgan.structures import Condition

LAYERS: Table = (
    ReadOnly("Model."),
    # fixed by the filter's taps
    ("Kernel$", None),
    ("LinearLayer{i}.Layer", "conv{i}"),
    ("NonLinearity{i}.Bias$", "conv{i}.bias$"),
    ("LinearLayer.Layer", "conv"),
)
GENERATOR_TABLE: Table = (
    *LAYERS,
    ("^EmbeddingLayer", "^condition.label"),
    ("^AggregationLayer.Layer", "^output_conv"),
    ("Basis$", "maps$"),
    ("LinearLayer", "linear"),
    ("^MainLayers.{i}.Layers", "^blocks.{i}"),
)


class LastLayer:
    """The discriminator's end is the last layer of its last stage; the numbers follow from the others."""

    STAGE = re.compile(r"MainLayers\.(\d+)\.Layers\.(\d+)\.")
    END = re.compile(r"MainLayers\.\d+\.Layers\.\d+\.(Basis|LinearLayer)\.weight$")

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with the end outside the stages."""
        return [self.END.sub(r"\1.weight", key) for key in keys]

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys with the end behind the last block."""
        inside = [(int(found[1]), int(found[2])) for key in keys if (found := self.STAGE.match(key))]
        stage, layer = max(inside, default=(0, -1))
        end = f"MainLayers.{stage}.Layers.{layer + 1}."
        return [f"{end}{key}" if key.startswith(("Basis.", "LinearLayer.")) else key for key in keys]


DISCRIMINATOR_TABLE: Table = (
    *LAYERS,
    LastLayer(),
    ("^EmbeddingLayer", "^heads.adv.condition.label"),
    ("^ExtractionLayer.Layer", "^backbone.input_conv"),
    ("^Basis", "^backbone.basis.conv"),
    ("^LinearLayer", "^heads.adv.linear"),
    ("^MainLayers.{i}.Layers", "^backbone.blocks.{i}"),
)
#: The peer's names of a condition's rows, one-hot or not.
CONDITIONS = ("y", "c", "condition")


class R3GANFormat(PeerFormat):
    """The peer's networks take rows of condition, which need not be one-hot."""

    def generate(
        self, module: nn.Module, latent: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the images of z and rows of condition."""
        assert isinstance(module, R3GANGenerator)
        return module.synthesize(latent, embedded(module.condition, inputs))

    def discriminate(
        self, module: nn.Module, image: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> State:
        """Return the outputs for images under rows of condition."""
        assert isinstance(module, Discriminator)
        head = module.heads["adv"]
        assert isinstance(head, InnerProductHead)
        features = module.backbone(image)
        found = head.product(features["pooled"], embedded(head.condition, inputs))
        return {f"adv.{name}": value for name, value in found.items()}


def embedded(condition: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor | None:
    """Return rows of condition times the table of labels; None for a network without one."""
    rows = next((inputs[name] for name in CONDITIONS if name in inputs), None)
    table = dict(condition.named_parameters()).get("label.weight")
    return None if rows is None or table is None else rows.to(table.dtype) @ table


# --- settings -------------------------------------------------------------------------------------
COMMON = (
    Pair("WidthPerStage", "channels"),
    Pair("CardinalityPerStage", "groups"),
    Pair("BlocksPerStage", "blocks"),
    Pair("ExpansionFactor", "expansion", 2),
    Pair("KernelSize", "kernel_size", 3),
    Pair("ResamplingFilter", "resampling", (1, 2, 1)),
)
LATENT = Pair("NoiseDimension", "latent_dim")


def _player(settings: Settings) -> tuple[Config, int, int]:
    """Return what both players have, the number of classes and the length of their embedding; takes all."""
    size = settings.take("img_resolution", None)
    common = read_pairs(settings, COMMON)
    config = {name: tuple(value) if isinstance(value, list) else value for name, value in common.items()}
    config["image_size"] = size or 4 << (len(config["channels"]) - 1)
    config["resampling"] = tuple(float(tap) for tap in config["resampling"])
    low = settings.take("FP16Stages", None)
    if low is not None:
        config["full_precision_stages"] = len(config["channels"]) - len(low)
    settings.require("img_channels", 3)
    classes, one_hot = settings.take("ConditionDimension", None), settings.take("c_dim", 0)
    dim = settings.take("ConditionEmbeddingDimension", 0)
    settings.finish()
    return config, classes or one_hot or 0, dim or 0


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    latent = read_pairs(settings, (LATENT,))
    common, classes, dim = _player(settings)
    return {"type": "R3GANGenerator", **latent, "num_classes": classes, "label_dim": dim or 64, **common}


def _discriminator(spec: Spec) -> Config:
    common, classes, dim = _player(Settings(spec["constructor_kwargs"]))
    head = {"type": "InnerProductHead", "num_classes": classes, "dim": dim}
    return {
        "backbone": {"type": "R3GANBackbone", **common},
        "heads": {"adv": head},
        "init": "default",
    }


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what the peer's ``Generator`` or ``Discriminator`` is called with; FP16Stages its wrapper."""
    own = own_config(role, config, network)
    table = network.state_dict().get(
        "condition.label.weight" if role == GENERATOR else "heads.adv.condition.label.weight"
    )
    condition: Config = {}
    if table is not None:
        condition = {"ConditionDimension": table.shape[0], "ConditionEmbeddingDimension": table.shape[1]}
    low = len(own["channels"]) - own["full_precision_stages"]
    return {
        "constructor_kwargs": {
            **(write_pairs(own, (LATENT,)) if role == GENERATOR else {}),
            **write_pairs(own, COMMON),
            **condition,
            "FP16Stages": [-1 - stage for stage in range(low)],
        }
    }


def _kernels(state: State, network: nn.Module) -> State:
    """Return the low-pass filters, which the peer stores in every layer that changes the size."""
    place, theirs = (
        re.compile(r"(?:backbone\.)?blocks\.(\d+)\.(\d+)\.filter"),
        r"MainLayers.\1.Layers.\2.Resampler.Kernel",
    )
    return {
        place.sub(theirs, name): module.kernel.clone()
        for name, module in network.named_modules()
        if isinstance(module, FIRFilter)
    }


def _resampling_taps(state: Mapping[str, Tensor]) -> Config:
    """Read the taps from the kernels that layers store: outer products of the taps convolved with [1, 1].

    Raises:
        MisfitError: layers have different kernels, or one that no taps make.
    """
    found = set()
    for key, value in state.items():
        if not key.endswith("Resampler.Kernel"):
            continue
        row = (value.double() / value.double().sum()).sum(0)
        taps = torch.zeros(len(row) - 1, dtype=torch.float64)
        for index in range(len(taps)):
            taps[index] = row[index] - (taps[index - 1] if index else 0.0)
        off = (torch.outer(row, row) - value.double() / value.double().sum()).abs().max()
        if not largest((float(off), abs(float(taps[-1] - row[-1])))) <= 1e-5:
            raise MisfitError(f"the kernel {key} is not made of a filter's taps")
        smallest = taps.abs()[taps.abs() > 1e-6].min()
        found.add(tuple(round(float(tap / smallest), 4) for tap in taps))
    if len(found) > 1:
        raise MisfitError(f"layers have different filters: {sorted(found)}")
    return {"resampling": list(found.pop())} if found else {}


def role_of(spec: Spec) -> str:
    """Tell the players apart: only a generator has noise."""
    return GENERATOR if "NoiseDimension" in spec["constructor_kwargs"] else DISCRIMINATOR


R3GAN = register_peer(
    R3GANFormat(
        name="r3gan",
        peer="r3gan",
        accepts=lambda spec: "WidthPerStage" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=Reading(
            r3gan.generator, r3gan.backbone, evidence=_resampling_taps, evidence_backbone=_resampling_taps
        ),
        writing=Writing(("R3GANGenerator", "R3GANBackbone"), _describe, one_file_each, extras=_kernels),
        # the label's table is stored as the matrix of a linear map of one-hot rows
        values=(turned(r"^(Model\.)?EmbeddingLayer\.weight$"),),
        inputs={"z": "latent", "x": "image"},
        outputs={"": "adv.logit"},
    )
)
