"""StyleGAN2 as StyleGAN2-ADA's PyTorch code writes it, and ic_gan's branch of that code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmcgan.peers.reading import styles
from mmcgan.peers.reading.shapes import MisfitError
from mmcgan.peers.stylegan2_ada.settings import (
    backbone_settings,
    describe_discriminator,
    describe_generator,
    filters,
    generator_settings,
    projection_settings,
)
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    PeerFormat,
    Reading,
    Settings,
    Spec,
    Table,
    Writing,
    register_peer,
)
from mmcgan.peers.writing.files import one_file_each

# --- names ----------------------------------------------------------------------------------------
LAYERS: Table = (
    ("resample_filter$", None),
    ("affine", "style"),
    ("skip", "shortcut"),
    ("torgb", "to_rgb"),
    ("noise_const$", "noise$"),
)
MAPPING: Table = (
    ("mapping.embed", "mapping.label"),
    ("mapping.embed_feats", "mapping.instance"),
    ("mapping.fc{i}", "mapping.layers.{i}"),
)
GENERATOR_TABLE: Table = (
    *LAYERS,
    *MAPPING,
    ("^mapping.w_avg$", "^mean_style$"),
    ("^synthesis.b4.const$", "^constant$"),
    ("^synthesis.b{i}", "^blocks.{i}"),
)
BACKBONE: Table = (
    *LAYERS,
    ("^b4.conv", "^backbone.last_conv"),
    ("^b4.fc", "^backbone.last_linear"),
    ("^b{i}.fromrgb", "^backbone.from_rgb.{i}"),
    ("^b{i}", "^backbone.blocks.{i}"),
)
DISCRIMINATOR_TABLE: Table = (
    ("^b4.out", "^heads.adv.linear"),
    *MAPPING,
    ("^mapping", "^heads.adv.mapping"),
    *BACKBONE,
)


def is_stated(found: Mapping[str, Any]) -> bool:
    """Return whether settings are those that a pickle of this code was constructed with."""
    return "img_resolution" in found


def stated(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what constructors were called with and weights do not show; players keep it apart."""
    if not is_stated(found):
        return {}
    synthesis = found.get("synthesis_kwargs") or {}
    mapping = found.get("mapping_kwargs") or {}
    last = found.get("epilogue_kwargs") or {}
    block = {**found, **(found.get("block_kwargs") or {})}
    values = {
        "generator.clamp": synthesis.get("conv_clamp") if synthesis else None,
        "generator.mapping_lr_mult": mapping.get("lr_multiplier"),
        "generator.mean_decay": mapping.get("w_avg_beta"),
        "discriminator.backbone.clamp": block.get("conv_clamp"),
    }
    if "mbstd_group_size" in last:
        values["discriminator.backbone.minibatch_group"] = last["mbstd_group_size"] or 0
    return {path: value for path, value in values.items() if value is not None}


# --- what weights say -----------------------------------------------------------------------------
def filter_taps(state: Mapping[str, Tensor]) -> Config:
    """Read the low-pass filter that StyleGAN2's layers store.

    Raises:
        MisfitError: layers have different filters, or one that is not a product of two equal rows.
    """
    found = set()
    for key, value in state.items():
        if not key.endswith(("resample_filter", ".kernel")) or value.dim() != 2:
            continue
        row = value.double().sum(0) / value.double().sum()
        if not (row[:, None] * row).allclose(value.double() / value.double().sum(), atol=1e-5):
            raise MisfitError(f"the filter {key} is not the product of two equal rows")
        found.add(tuple(round(float(tap), 4) for tap in row / row.abs().min()))
    if len(found) > 1:
        raise MisfitError(f"layers have different filters: {sorted(found)}")
    return {"taps": list(found.pop())} if found else {}


def style_reading(mean_decay: float, heads: Config | None = None) -> Reading:
    """Return how StyleGAN2 is read from its weights, whoever's code it is of."""
    settings = {"mapping_lr_mult": 0.01, "mean_decay": mean_decay, "style_mixing": 0.0, "clamp": None}
    return Reading(
        styles.generator,
        styles.backbone,
        assumed_generator=settings,
        assumed_backbone={"minibatch_group": 4, "clamp": None},
        assumed_heads=heads or {},
        evidence=filter_taps,
        evidence_backbone=filter_taps,
        head_init="equalized",
    )


#: The classes of ours that this code has.
KINDS = ("StyleGAN2Generator", "StyleGAN2Backbone")


# --- ic_gan's branch ------------------------------------------------------------------------------
def _generator(spec: Spec) -> Config:
    return generator_settings(spec, mean_decay=0.995)


def _discriminator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    head = projection_settings(settings)
    return {"backbone": backbone_settings(settings), "heads": {"adv": head}, "init": "equalized"}


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what the peer's ``Generator`` or ``Discriminator`` is called with."""
    return (describe_generator if role == GENERATOR else describe_discriminator)(config, network)


def role_of(spec: Spec) -> str:
    """Tell the players apart: only a generator has a latent."""
    return GENERATOR if "z_dim" in spec["constructor_kwargs"] else DISCRIMINATOR


STYLEGAN2_ADA = register_peer(
    PeerFormat(
        name="ic_gan_stylegan2",
        peer="ic_gan",
        accepts=lambda spec: "img_resolution" in spec.get("constructor_kwargs", {}),
        role_of=role_of,
        configs={GENERATOR: _generator, DISCRIMINATOR: _discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=style_reading(0.995),
        writing=Writing(KINDS, _describe, one_file_each, extras=filters),
        stated=stated,
        names_itself=is_stated,
        inputs={"z": "latent", "x": "image", "c": "label", "h": "instance"},
        outputs={"": "adv.logit"},
    )
)
