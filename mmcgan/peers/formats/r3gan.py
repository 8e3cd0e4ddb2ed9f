"""R3GAN's networks: keys of ``R3GAN/Networks.py``, with or without the wrapper's ``Model.``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from mmcgan.models.discriminator import Discriminator
from mmcgan.models.generators import R3GANGenerator
from mmcgan.models.heads import InnerProductHead
from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.format import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    State,
    Table,
)
from mmcgan.structures import Condition

LAYERS: Table = (
    (r"^Model\.", ""),
    # fixed by the filter's taps
    (r"\.Kernel$", None),
    (r"\.LinearLayer(\d)\.Layer\.weight$", r".conv\1.weight"),
    (r"\.NonLinearity(\d)\.Bias$", r".conv\1.bias"),
    (r"\.LinearLayer\.Layer\.weight$", ".conv.weight"),
)
GENERATOR_TABLE: Table = (
    *LAYERS,
    (r"^EmbeddingLayer\.", "condition.label."),
    (r"^AggregationLayer\.Layer\.", "output_conv."),
    (r"\.Basis$", ".maps"),
    (r"\.LinearLayer\.weight$", ".linear.weight"),
    (r"^MainLayers\.(\d+)\.Layers\.", r"blocks.\1."),
)
DISCRIMINATOR_TABLE: Table = (
    *LAYERS,
    (r"^EmbeddingLayer\.", "heads.adv.condition.label."),
    (r"^ExtractionLayer\.Layer\.", "backbone.input_conv."),
    (r"^MainLayers\.\d+\.Layers\.\d+\.Basis\.", "backbone.basis.conv."),
    (r"^MainLayers\.\d+\.Layers\.\d+\.LinearLayer\.", "heads.adv.linear."),
    (r"^MainLayers\.(\d+)\.Layers\.", r"backbone.blocks.\1."),
)
#: A table of labels, which the peer stores as the matrix of a linear map of one-hot rows.
TABLE = re.compile(r"(^|\.)condition\.label\.weight$")
#: The peer's names of a condition's rows, one-hot or not.
CONDITIONS = ("y", "c", "condition")


class R3GANFormat(PeerFormat):
    """The peer's networks take rows of condition, which need not be one-hot."""

    def convert_state(self, state: Mapping[str, Tensor], role: str) -> State:
        """Return our state dict; the label's table is turned."""
        converted = super().convert_state(state, role)
        return {key: value.T if TABLE.search(key) else value for key, value in converted.items()}

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


def common_settings(settings: Settings, channels: int) -> Config:
    """Read what both players have."""
    size = settings.take("img_resolution", None)
    widths = settings.take("WidthPerStage")
    config = {
        "image_size": size or 4 << (len(widths) - 1),
        "channels": tuple(widths),
        "groups": tuple(settings.take("CardinalityPerStage")),
        "blocks": tuple(settings.take("BlocksPerStage")),
        "expansion": settings.take("ExpansionFactor", 2),
        "kernel_size": settings.take("KernelSize", 3),
        "resampling": tuple(float(tap) for tap in settings.take("ResamplingFilter", (1, 2, 1))),
    }
    low = settings.take("FP16Stages", None)
    if low is not None:
        config["full_precision_stages"] = len(widths) - len(low)
    settings.require("img_channels", channels)
    return config


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    classes = settings.take("ConditionDimension", None) or settings.take("c_dim", 0)
    config = {
        "type": "R3GANGenerator",
        "latent_dim": settings.take("NoiseDimension"),
        "num_classes": classes or 0,
        "label_dim": settings.take("ConditionEmbeddingDimension", 0) or 64,
        **common_settings(settings, 3),
    }
    settings.ignore("c_dim")
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    classes = settings.take("ConditionDimension", None) or settings.take("c_dim", 0)
    dim = settings.take("ConditionEmbeddingDimension", 0)
    backbone = {"type": "R3GANBackbone", **common_settings(settings, 3)}
    settings.ignore("c_dim")
    settings.finish()
    head = {"type": "InnerProductHead", "num_classes": classes or 0, "dim": dim or 0}
    return {"backbone": backbone, "heads": {"adv": head}, "init": "default"}


def role_of(spec: Spec) -> str:
    """Tell the players apart: only a generator has noise."""
    return GENERATOR if "NoiseDimension" in spec["constructor_kwargs"] else DISCRIMINATOR


R3GAN = register_peer(
    R3GANFormat(
        name="r3gan",
        peer="r3gan",
        accepts=lambda spec: "WidthPerStage" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        inputs={"z": "latent", "x": "image"},
        outputs={"": "adv.logit"},
    )
)
