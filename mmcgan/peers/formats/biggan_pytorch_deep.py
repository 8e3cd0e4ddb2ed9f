"""BigGAN-PyTorch's BigGAN-deep."""

from __future__ import annotations

import re

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import (
    DISCRIMINATOR_TABLE,
    GENERATOR_TABLE,
    backbone_settings,
    generator_settings,
    role_of,
)
from mmcgan.peers.formats.format import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    UnsupportedSetting,
)

_NESTED = re.compile(r"^blocks\.(\d+)\.(\d+)\.(.*)")


class NestedStages(PeerFormat):
    """A discriminator's blocks are nested in their stage, attention last: flattened here."""

    def _unslotted(self, keys: list[str]) -> list[str]:
        found = [match for key in keys if (match := _NESTED.match(key))]
        blocks = {int(match[2]) for match in found if match[3].startswith("conv1.")}
        if not blocks or "input_conv.weight" not in keys:
            return keys  # a generator's blocks are flat already
        return [_flat(key, max(blocks) + 1) for key in keys]


def _flat(key: str, depth: int) -> str:
    match = _NESTED.match(key)
    if not match:
        return key
    stage, position, rest = int(match[1]), int(match[2]), match[3]
    index = stage * depth + min(position, depth - 1)
    return f"blocks.{index}.{int(position == depth)}.{rest}"


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    depth = settings.take("G_depth", 2)
    config = generator_settings(spec, settings)
    settings.finish()
    if not (config.pop("hierarchical") and config["shared_embedding"]):
        raise UnsupportedSetting("BigGAN-deep works with hier=True and G_shared=True only")
    return {**config, "type": "BigGANDeepGenerator", "depth": depth}


def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    depth, classes = settings.take("D_depth", 2), settings.take("n_classes", 1000)
    backbone = backbone_settings(spec, settings)
    settings.finish()
    if not backbone.pop("wide"):
        raise UnsupportedSetting("D_wide=False has no meaning in BigGAN-deep")
    labels = backbone.pop("attention_blocks", None)
    if labels is not None:  # 32 pixels: stages counted from 0
        backbone["attention_blocks"] = [(stage + 1) * depth - 1 for stage in labels if stage < 3]
    backbone |= {"type": "BigGANDeepBackbone", "depth": depth}
    head = {"type": "ProjectionHead", "num_classes": classes, "spectral_norm": backbone["spectral_norm"]}
    return {"backbone": backbone, "heads": {"adv": head}}


def is_deep(spec: Spec) -> bool:
    """Whether a description is of a BigGAN-deep."""
    settings = spec.get("constructor_kwargs", {})
    return "resolution" in settings and any(
        key.endswith("_depth") and value != 1 for key, value in settings.items()
    )


BIGGAN_PYTORCH_DEEP = register_peer(
    NestedStages(
        name="biggan_pytorch_deep",
        peer="biggan_pytorch",
        accepts=is_deep,
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={
            GENERATOR: GENERATOR_TABLE,
            DISCRIMINATOR: ((r"^input_conv\.", "backbone.input_conv."), *DISCRIMINATOR_TABLE),
        },
        inputs={"z": "latent", "x": "image", "y": "label"},
        outputs={"": "adv.logit"},
    )
)
