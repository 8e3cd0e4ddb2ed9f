"""What each peer's format has of its own: which network it is, and what its weights do not show.

``assumed`` settings are those that all published models of a format share and that shapes cannot show
(activation, epsilons). Where published models differ, :attr:`Traits.choices` lists the possibilities,
and the user has to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from mmcgan.conversion import backbones, generators, spade, styles
from mmcgan.conversion.backbones import MMAGIC, PUBLISHED
from mmcgan.conversion.shapes import Config, Given, MisfitError, Shapes

Infer = Callable[[Shapes, Given], list[Config]]
#: The peer's state dict -> settings that its keys or values show.
Evidence = Callable[[Mapping[str, Tensor]], Config]
Choices = Callable[[Mapping[str, Tensor]], list[Config]]


@dataclass(frozen=True)
class Traits:
    """How to read the networks of one format.

    Attributes:
        generator, backbone: shapes and given settings -> possible configs; None if it has no such player.
        assumed_generator, assumed_backbone: what all published models share and shapes do not show.
        assumed_heads: the same for heads, by type.
        choices_generator, choices_backbone: the peer's state dict -> what is possible where published
            models differ and shapes do not show it: settings that go together, by dotted path.
        evidence: what the peer's own keys or values show of a generator beyond our shapes.
        evidence_backbone: the same of a backbone.
        head_init: initialisation of the heads, ``equalized`` for an equalised learning rate.
    """

    generator: Infer | None
    backbone: Infer | None
    assumed_generator: Config = field(default_factory=dict)
    assumed_backbone: Config = field(default_factory=dict)
    assumed_heads: Config = field(default_factory=dict)
    choices_generator: Choices = lambda state: [{}]
    choices_backbone: Choices = lambda state: [{}]
    evidence: Evidence = lambda state: {}
    evidence_backbone: Evidence = lambda state: {}
    head_init: str = generators.LOADED


# --- what keys and values show -------------------------------------------------------------------
def batch_norm_layer(state: Mapping[str, Tensor]) -> Config:
    """Tell BigGAN-PyTorch's three batch norms apart by the names of their statistics."""
    if any(key.endswith(".bn.stored_mean") for key in state):
        return {name: {"biased_variance": True} for name in ("batch_norm", "output_batch_norm")}
    return {}


def cross_replica(state: Mapping[str, Tensor]) -> list[Config]:
    """Return both ways in which BigGAN-PyTorch's cross-replica batch norm uses its gain.

    On one device its code adds the gain where it should multiply by it.
    """
    plain = any(key.endswith(".gain") for key in state)
    if not plain or not any(key.endswith(".bn.running_mean") for key in state):
        return [{}]
    names = ("batch_norm.add_gain", "output_batch_norm.add_gain")
    return [dict.fromkeys(names, value) for value in (True, False)]


def unit_gain(state: Mapping[str, Tensor]) -> list[Config]:
    """Return both meanings of MMagic's conditional gains: the gain itself, or what 1 is added to."""
    if not any(key.endswith("weight_embedding.weight") or ".weight_embedding." in key for key in state):
        return [{}]
    return [{"unit_gain": value} for value in (True, False)]


def in_place(state: Mapping[str, Tensor]) -> list[Config]:
    """Return both ways of MMagic's rectifiers: published configs have them in place, its defaults not."""
    return [{"activated_shortcut": value} for value in (True, False)]


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


# --- the formats ---------------------------------------------------------------------------------
def _spectral(eps: float, **options: Any) -> Config:
    return {"eps": eps, **options}


def _family(norm: Config, eps: float, *, networks: tuple[Infer, Infer] | None = None, **extra: Any) -> Traits:
    """Return the traits of a format of BigGAN-like networks.

    Args:
        norm: what is assumed of spectral norm.
        eps: of batch norms.
        networks: how generator and backbone are read; BigGAN's by default.
    """
    readers = networks or (generators.biggan, partial(backbones.biggan, rule=PUBLISHED))
    statistics = {"batch_norm": {"eps": eps}, "output_batch_norm": {"eps": eps}}
    assumed = {"activation_name": "relu", "spectral_norm": norm}
    extra = dict(extra)
    heads = {"*": {"spectral_norm": norm}, **extra.pop("assumed_heads", {})}
    generator = {**assumed, **statistics, **extra.pop("generator", {})}
    backbone = {**assumed, "batch_norm": {"eps": eps}, **extra.pop("backbone", {})}
    return Traits(
        *readers,
        assumed_generator=generator,
        assumed_backbone=backbone,
        assumed_heads=heads,
        **extra,
    )


AJBROCK = _spectral(1e-6, iterations=1)
DEEP = (generators.deep, partial(backbones.deep, rule=PUBLISHED))
BIGGAN_PYTORCH = _family(AJBROCK, 1e-5, evidence=batch_norm_layer, choices_generator=cross_replica)

STUDIOGAN_HEADS = {
    "ProxyHead": {"normalize": True},
    "DiscriminativeProxyHead": {"normalize": True},
    "ClassifierHead": {"normalize": False},
    "DiscriminativeClassifierHead": {"normalize": False},
}
#: StudioGAN's rectifiers work in place, so that shortcuts see activated inputs.
_studiogan = partial(
    _family, _spectral(1e-6), 1e-4, assumed_heads=STUDIOGAN_HEADS, backbone={"activated_shortcut": True}
)
_RESNET = {"outer_spectral_norm": _spectral(1e-6), "condition_spectral_norm": _spectral(1e-6)}
_RESNET |= {"attention_spectral_norm": _spectral(1e-6)}

_styles = partial(
    Traits,
    styles.generator,
    styles.backbone,
    assumed_backbone={"minibatch_group": 4, "clamp": None},
    evidence=filter_taps,
    evidence_backbone=filter_taps,
    head_init="equalized",
)


def _style_settings(decay: float) -> Config:
    return {"mapping_lr_mult": 0.01, "mean_decay": decay, "style_mixing": 0.0, "clamp": None}


_MMAGIC = _spectral(1e-6)
_OUTER = {"outer_spectral_norm": _spectral(1e-12), "condition_spectral_norm": _spectral(1e-12)}

TRAITS: dict[str, Traits] = {
    "biggan_pytorch": BIGGAN_PYTORCH,
    "biggan_pytorch_deep": _family(
        AJBROCK, 1e-5, networks=DEEP, evidence=batch_norm_layer, choices_generator=cross_replica
    ),
    "dgp": BIGGAN_PYTORCH,
    "omnigan": BIGGAN_PYTORCH,
    "omni_inr": BIGGAN_PYTORCH,
    "ic_gan_biggan": _family(
        AJBROCK,
        1e-5,
        networks=(
            partial(generators.biggan, raw_instances=True),
            partial(backbones.biggan, rule=PUBLISHED),
        ),
        evidence=batch_norm_layer,
        choices_generator=cross_replica,
    ),
    "ic_gan_stylegan2": _styles(assumed_generator=_style_settings(0.995)),
    "studiogan_big_resnet": _studiogan(),
    "studiogan_resnet": _studiogan(
        networks=(generators.resnet, partial(backbones.resnet, rule=PUBLISHED)), generator=_RESNET
    ),
    "studiogan_deep_conv": _studiogan(
        networks=(generators.dcgan, partial(backbones.dcgan, rule=PUBLISHED)),
        generator={"condition_spectral_norm": _spectral(1e-6)},
        backbone={},
    ),
    "studiogan_deep": _studiogan(networks=DEEP),
    "studiogan_stylegan2": _styles(assumed_generator=_style_settings(0.998), assumed_heads=STUDIOGAN_HEADS),
    "mmagic_biggan": _family(_MMAGIC, 1e-5, choices_backbone=in_place),
    "mmagic_biggan_deep": _family(
        _MMAGIC,
        1e-5,
        networks=DEEP,
        generator={"latent_first": True, "bottom_channels_last": True},
        choices_backbone=in_place,
    ),
    "mmagic_resnet": _family(
        _spectral(1e-12),
        1e-4,
        networks=(generators.resnet, partial(backbones.resnet, rule=MMAGIC)),
        generator={**_OUTER, "attention_spectral_norm": _spectral(1e-6)},
        backbone={"attention_spectral_norm": _spectral(1e-6)},
        choices_generator=unit_gain,
        choices_backbone=in_place,
    ),
    "mmagic_stylegan2": _styles(assumed_generator=_style_settings(0.998)),
    "spade": Traits(
        spade.generator,
        spade.backbone,
        assumed_generator={"spectral_norm": _spectral(1e-12)},
        assumed_backbone={"spectral_norm": _spectral(1e-12)},
    ),
    "hfbiggan": _family(
        _spectral(1e-4),
        1e-4,
        networks=(generators.published_deep, None),
        generator={
            "latent_first": True,
            "bottom_channels_last": True,
            "batch_norm": {"eps": 1e-4, "swapped_rows": True},
            "output_batch_norm": {"eps": 1e-4, "swapped_rows": True},
        },
    ),
}
