"""What each peer's format has of its own: which network it is, and what its weights do not show.

``assumed`` settings are those that all published models of a format share and that shapes cannot show
(activation, epsilons). Where published models differ, :attr:`Traits.choices` lists the possibilities,
and the user has to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from torch import Tensor

from mmcgan.peers.reading import backbones, fastgan, generators, r3gan, spade, styles
from mmcgan.peers.reading.backbones import MMAGIC, PUBLISHED
from mmcgan.peers.reading.shapes import Config, Given, MisfitError, Shapes

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
Networks = tuple[Infer, Infer | None]
BIGGAN: Networks = (generators.biggan, partial(backbones.biggan, rule=PUBLISHED))
RAW_BIGGAN: Networks = (partial(generators.biggan, raw_instances=True), BIGGAN[1])
DEEP: Networks = (generators.deep, partial(backbones.deep, rule=PUBLISHED))


@dataclass(frozen=True)
class Family:
    """What is assumed of a format of BigGAN-like networks, beside rectifiers.

    Attributes:
        spectral: of spectral norm.
        eps: of batch norms.
        networks: how generator and backbone are read.
        generator, backbone, heads: further assumptions.
        one_norm: whether the last batch norm of the generator is always like the others.
    """

    spectral: Config
    eps: float
    networks: Networks = BIGGAN
    generator: Config = field(default_factory=dict)
    backbone: Config = field(default_factory=dict)
    heads: Config = field(default_factory=dict)
    one_norm: bool = False

    def traits(self) -> Traits:
        """Return the traits."""
        norms = {"batch_norm": {"eps": self.eps}}
        common = {"activation_name": "relu", "spectral_norm": self.spectral, **norms}
        last = {} if self.one_norm else {"output_batch_norm": {"eps": self.eps}}
        return Traits(
            *self.networks,
            assumed_generator={**common, **last, **self.generator},
            assumed_backbone={**common, **self.backbone},
            assumed_heads={"*": {"spectral_norm": self.spectral}, **self.heads},
        )


def _biggan_pytorch(networks: Networks) -> Traits:
    assumed = Family({"eps": 1e-6, "iterations": 1}, 1e-5, networks).traits()
    return replace(assumed, evidence=batch_norm_layer, choices_generator=cross_replica)


#: StudioGAN's rectifiers work in place, so that shortcuts see activated inputs.
ACTIVATED = {"activated_shortcut": True}
STUDIOGAN_HEADS = {
    "ProxyHead": {"normalize": True},
    "DiscriminativeProxyHead": {"normalize": True},
    "ClassifierHead": {"normalize": False},
    "DiscriminativeClassifierHead": {"normalize": False},
}
EPS_6: Config = {"eps": 1e-6}
EPS_12: Config = {"eps": 1e-12}


def _studiogan(networks: Networks, generator: Config, one_norm: bool = False) -> Traits:
    return Family(EPS_6, 1e-4, networks, generator, ACTIVATED, STUDIOGAN_HEADS, one_norm).traits()


def _styles(mean_decay: float, heads: Config | None = None) -> Traits:
    settings = {"mapping_lr_mult": 0.01, "mean_decay": mean_decay, "style_mixing": 0.0, "clamp": None}
    return Traits(
        styles.generator,
        styles.backbone,
        assumed_generator=settings,
        assumed_backbone={"minibatch_group": 4, "clamp": None},
        assumed_heads=heads or {},
        evidence=filter_taps,
        evidence_backbone=filter_taps,
        head_init="equalized",
    )


CHANNELS_LAST = {"latent_first": True, "bottom_channels_last": True}
TABLES = {"eps": 1e-4, "swapped_rows": True}
RESNET: Networks = (generators.resnet, partial(backbones.resnet, rule=PUBLISHED))
MMAGIC_RESNET: Networks = (generators.resnet, partial(backbones.resnet, rule=MMAGIC))
DCGAN: Networks = (generators.dcgan, partial(backbones.dcgan, rule=PUBLISHED))
#: Groups of layers that have a spectral norm of their own.
GROUPS = ("outer_spectral_norm", "condition_spectral_norm", "attention_spectral_norm")

#: In the order in which readings are tried: what both residual formats of StudioGAN have is `resnet`.
TRAITS: dict[str, Traits] = {
    "biggan_pytorch": _biggan_pytorch(BIGGAN),
    "biggan_pytorch_deep": _biggan_pytorch(DEEP),
    "dgp": _biggan_pytorch(BIGGAN),
    "omnigan": _biggan_pytorch(BIGGAN),
    "omni_inr": _biggan_pytorch(BIGGAN),
    "ic_gan_biggan": _biggan_pytorch(RAW_BIGGAN),
    "ic_gan_stylegan2": _styles(0.995),
    "studiogan_resnet": _studiogan(RESNET, dict.fromkeys(GROUPS, EPS_6), one_norm=True),
    "studiogan_big_resnet": _studiogan(BIGGAN, {}),
    "studiogan_deep_conv": _studiogan(DCGAN, {"condition_spectral_norm": EPS_6}),
    "studiogan_deep": _studiogan(DEEP, {}),
    "studiogan_stylegan2": _styles(0.998, STUDIOGAN_HEADS),
    "mmagic_biggan": replace(Family(EPS_6, 1e-5).traits(), choices_backbone=in_place),
    "mmagic_biggan_deep": replace(
        Family(EPS_6, 1e-5, DEEP, CHANNELS_LAST).traits(), choices_backbone=in_place
    ),
    "mmagic_resnet": replace(
        Family(
            EPS_12,
            1e-4,
            MMAGIC_RESNET,
            {**dict.fromkeys(GROUPS, EPS_12), "attention_spectral_norm": EPS_6},
            {"attention_spectral_norm": EPS_6},
            one_norm=True,
        ).traits(),
        choices_generator=unit_gain,
        choices_backbone=in_place,
    ),
    "mmagic_stylegan2": _styles(0.998),
    **dict.fromkeys(
        ("projected_gan_fastgan", "projected_gan_fastgan_lite"),
        Traits(fastgan.generator, None, assumed_generator={"spectral_norm": EPS_12}),
    ),
    "r3gan": Traits(
        r3gan.generator,
        r3gan.backbone,
        evidence=r3gan.resampling_taps,
        evidence_backbone=r3gan.resampling_taps,
    ),
    "spade": Traits(
        spade.generator,
        spade.backbone,
        assumed_generator={"spectral_norm": EPS_12},
        assumed_backbone={"spectral_norm": EPS_12},
    ),
    "hfbiggan": Family(
        {"eps": 1e-4},
        1e-4,
        (generators.published_deep, None),
        {**CHANNELS_LAST, "batch_norm": TABLES, "output_batch_norm": TABLES},
    ).traits(),
}
