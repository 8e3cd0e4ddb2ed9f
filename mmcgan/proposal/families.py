"""Families of networks as they are proposed and compared: one plan of a training, four ways to carry it out.

``mmcgan new`` writes these parts into configs, ``benchmarks/small_sets.py`` trains them on small sets, and
what it measured (:mod:`mmcgan.proposal.figures`) decides which one a set of images gets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmcgan.extractors.efficientnet import PACKAGE
from mmcgan.proposal.figures import WITH_CLASSES

Settings = dict[str, Any]
D2DCE: Settings = {
    "type": "D2DCELoss",
    "temperature": 0.5,
    "positive_margin": 0.98,
    "weights": {"real": 0.5, "generated": 0.5},
}
PROXIES: Settings = {"type": "ProxyHead", "embed_dim": 64}
#: lets images of one condition differ in the first minutes, when a discriminator does not ask for it yet
MODE_SEEKING: Settings = {"modes": {"type": "ModeSeeking", "weight": 0.1, "share": 0.5}}
REALNESS: Settings = {"logit": "omni.score", "reading": "real_minus_fake"}
SAMPLERS: dict[str, Settings] = {
    "unconditional": {"_delete_": True, "type": "ConstantLabel", "label": 0},
    "instance": {"_delete_": True, "type": "AllInstances", "num_classes": 0},
}


#: iterations from which on a run takes hours: rates are lower then, and the average of weights is slower
LONG_RUN = 5000


@dataclass(frozen=True)
class Plan:
    """What is to be trained, whatever the family.

    Attributes:
        conditioning: a key of :data:`mmcgan.proposal.figures.CONDITIONINGS`.
        image_size: pixels a side.
        width: channels of the finest maps; every family has more of them in its coarser ones.
        policy: of DiffAugment; () for no augmentation, of any kind.
        horizon: real images that the discriminator has seen when schedules end and ADA's probability may have
            gone from 0 to 1; a family of several ``batches`` reads as many times more.
        uniform: whether all classes are asked for equally often, not as often as they occur.
    """

    conditioning: str
    image_size: int
    width: int
    policy: tuple[str, ...]
    horizon: int
    uniform: bool = False

    @property
    def labelled(self) -> bool:
        """Whether names of classes are learnt."""
        return self.conditioning in WITH_CLASSES


@dataclass
class Parts:
    """What a family makes of a plan.

    Attributes:
        bases: configs that are inherited, without ending, below ``configs/_base_/``; the last is a schedule.
        model: what the config adds to ``model``.
        hooks: what it adds to ``default_hooks``.
        rates: learning rate of the generator in a run of fewer than :data:`LONG_RUN` iterations, and in a
            longer one; None where the schedule has its own.
        slower: part of them that the discriminator's is, where it would win otherwise.
    """

    bases: tuple[str, str]
    model: Settings
    hooks: Settings = field(default_factory=dict)
    rates: tuple[float, float] | None = None
    slower: float = 1.0


@dataclass(frozen=True)
class Family:
    """A family of networks.

    Attributes:
        parts: plan -> parts.
        package: without which it cannot be trained, and the extra that installs it; None for none.
        looks_through: type of the extractor in its discriminator, which therefore must not judge samples.
        batches: mini-batches in a batch of the loader.
        seeks_modes: whether its parts have mode seeking.
    """

    parts: Callable[[Plan], Parts]
    package: tuple[str, str] | None = None
    looks_through: str | None = None
    batches: int = 1
    seeks_modes: bool = False


def frozen_network(image_size: int) -> Settings:
    """Return the extractor that projected discriminators look through, for images of a size."""
    seen = 64 if image_size <= 64 else 128
    return {"type": "EfficientNetLite0", "image_size": seen, "resize": "bilinear-antialias"}


def _channels(plan: Plan, factors: tuple[int, ...]) -> tuple[int, ...]:
    """Return widths from the coarsest to the finest maps; above 32 pixels the finest once more a doubling."""
    widths = tuple(factor * plan.width for factor in factors)
    more = max(0, plan.image_size.bit_length() - (32).bit_length())
    return (*widths, *([widths[-1]] * more))


def _biggan(plan: Plan) -> Parts:
    kind = plan.conditioning
    base = {
        "unconditional": "biggan-unconditional",
        "projection": "biggan",
        "omni": "omnigan",
        "d2dce": "reacgan",
        "instance": "icgan",
    }[kind]
    widths = _channels(plan, (4, 4, 2, 1))
    generator: Settings = {"channels": widths, "latent_dim": 80, "attention_resolutions": ()}
    generator |= {"instance_embedding_dim": 64} if kind == "instance" else {"shared_dim": 64}
    backbone = {"channels": tuple(reversed(widths)), "attention_resolutions": ()}
    model: Settings = {"generator": generator, "discriminator": {"backbone": backbone}}
    model["regularizers"] = dict(MODE_SEEKING)
    if plan.policy:
        model["augment"] = {"type": "DiffAugment", "policy": plan.policy}
    if plan.labelled and not plan.uniform:
        model["condition_sampler"] = {"_delete_": True, "type": "EmpiricalLabel"}
    return Parts((f"models/{base}", "schedules/laptop-fashion-mnist"), model, rates=(1e-3, 4e-4))


def _stylegan2(plan: Plan) -> Parts:
    kind = plan.conditioning
    plain: Settings = {"_delete_": True, "type": "AdversarialHead", "spectral_norm": False}
    omni = {"_delete_": True, "omni": {"type": "OmniHead", "spectral_norm": False}}
    heads: dict[str, Settings] = {
        "unconditional": {"adv": plain},
        "projection": {},
        "omni": omni,
        "d2dce": {"adv": plain, "cls": {"type": "ProxyHead", "embed_dim": 64, "spectral_norm": False}},
        "instance": {"adv": {"num_classes": 0}},
    }
    size = {"max_channels": 4 * plan.width, "channel_base": 64 * plan.width}
    model: Settings = {
        "generator": {**size, **({} if plan.labelled else {"num_classes": 0})},
        "discriminator": {"backbone": dict(size), "heads": heads[kind]},
        "condition_sampler": _sampler(plan),
    }
    if plan.policy:
        adapt: Settings = {"target": 0.6, "kimg": max(1, plan.horizon // 1000), "interval": 4}
        model["augment"] = {"type": "ADA", "adapt": adapt | (REALNESS if kind == "omni" else {})}
    model |= _losses(kind)
    if kind == "omni":
        model["regularizers"] = {"r1": REALNESS}
    return Parts(("models/stylegan2-laptop", "schedules/laptop-stylegan2"), model)


def _r3gan(plan: Plan) -> Parts:
    kind = plan.conditioning
    plain: Settings = {"_delete_": True, "type": "InnerProductHead", "num_classes": 0}
    heads: dict[str, Settings] = {
        "unconditional": {"adv": plain},
        "projection": {},
        "omni": {"_delete_": True, "omni": {"type": "OmniHead", "spectral_norm": None}},
        "d2dce": {"adv": plain, "cls": {"type": "ProxyHead", "embed_dim": 64, "spectral_norm": None}},
        "instance": {"adv": {"num_classes": 0}},
    }
    widths = _channels(plan, (4, 3, 2, 1))
    groups, blocks = tuple(max(1, width // 8) for width in widths), (1,) * len(widths)
    generator: Settings = {"latent_dim": 64, "channels": widths, "groups": groups, "blocks": blocks}
    generator |= {"label_dim": 32} if plan.labelled else {"num_classes": 0}
    generator |= {"instance_embedding_dim": 32} if kind == "instance" else {}
    backbone = {"channels": widths[::-1], "groups": groups[::-1], "blocks": blocks}
    model: Settings = {"generator": generator, "discriminator": {"backbone": backbone, "heads": heads[kind]}}
    if plan.policy:
        shares = {"colour": 0.5}
        model["augment"] = {"type": "ADA", "transforms": ("bgc", "cutout"), "p": 0.0, "shares": shares}
    model["data_preprocessor"] = {"flip_probability": 0.0}
    if not plan.labelled:
        model["condition_sampler"] = _sampler(plan)
    model |= _losses(kind)
    if kind == "omni":
        model["regularizers"] = {"r1": REALNESS, "r2": REALNESS}
    return Parts(("models/r3gan-networks", "schedules/laptop-r3gan"), model, _r3gan_hooks(plan))


def _r3gan_hooks(plan: Plan) -> Settings:
    """Return R3GAN's half cosines, its augmentation's among them, over as many images as a run may see."""
    slow = max(1, plan.horizon // 10)
    ends: dict[str, tuple[float, float]] = {
        "optimizer.generator.lr": (5e-4, 1e-4),
        "optimizer.discriminator.lr": (5e-4, 1e-4),
        "optimizer.generator.beta2": (0.9, 0.99),
        "optimizer.discriminator.beta2": (0.9, 0.99),
        "regularizers.r1.weight": (0.1, 0.01),
        "regularizers.r2.weight": (0.1, 0.01),
        "generator_ema.half_life_images": (0, slow),
    }
    if plan.policy:
        ends["augment.probability.p"] = (0.0, 0.55)
    values = {
        key: {"kind": "cosine", "start": start, "end": end, "until": plan.horizon}
        for key, (start, end) in ends.items()
    }
    return {
        "generator_ema": {"half_life_images": slow},
        "schedule": {"_delete_": True, "type": "ScheduleHook", "unit": "images", "values": values},
    }


def _projected(plan: Plan) -> Parts:
    kind = plan.conditioning
    every: Settings = {"type": "EachScale", "scales": 3}
    patch: Settings = {
        "_delete_": True,
        "type": "PatchHead",
        "kernel_size": 4,
        "padding": 0,
        "bias": False,
        "spectral_norm": {"eps": 1e-12, "iterate_in_eval": False},
    }
    heads: dict[str, Settings] = {
        "unconditional": {"adv": {"head": patch}},
        "projection": {},
        "omni": {"_delete_": True, "omni": {**every, "head": _windows({"type": "OmniHead"})}},
        "d2dce": {"adv": {"head": patch}, "cls": {**every, "head": _windows(PROXIES)}},
        "instance": {"adv": {"head": {"num_classes": 0}}},
    }
    backbone: Settings = {
        "extractor": {"_delete_": True, **frozen_network(plan.image_size)},
        "strides": (4, 8, 16),
        "resize": "bilinear",
    }
    generator: Settings = {"base_channels": plan.width}
    generator |= {} if plan.labelled else {"num_classes": 0}
    generator |= {"instance_embedding_dim": 64} if kind == "instance" else {}
    model: Settings = {"generator": generator, "discriminator": {"backbone": backbone, "heads": heads[kind]}}
    model["augment"] = {"policy": plan.policy} if plan.policy else None
    if not plan.labelled:
        model["condition_sampler"] = _sampler(plan)
    model |= _losses(kind)
    bases = ("models/projected-small", "schedules/laptop-fashion-mnist")
    # a hinge rests once images are told apart, the omni-loss never does
    return Parts(bases, model, rates=(4e-4, 4e-4), slower=0.125 if kind == "omni" else 1.0)


def _windows(head: Settings) -> Settings:
    """Return a head that sees layouts: pooled features of frozen maps alone teach textures without shapes."""
    return {"type": "OnWindows", "kernel_size": 4, "head": head}


def _sampler(plan: Plan) -> Settings:
    asked = "UniformLabel" if plan.uniform else "EmpiricalLabel"
    return dict(SAMPLERS.get(plan.conditioning, {"_delete_": True, "type": asked}))


def _losses(kind: str) -> Settings:
    """Return the losses that a conditioning puts in the place of, or beside, the adversarial one."""
    if kind == "omni":
        return {"losses": {"_delete_": True, "omni": {"type": "OmniLoss"}}}
    return {"losses": {"contrastive": D2DCE}} if kind == "d2dce" else {}


#: by the names of :data:`mmcgan.proposal.figures.FAMILIES`
NETWORKS: Mapping[str, Family] = {
    "biggan-diffaug": Family(_biggan, seeks_modes=True),
    "stylegan2-ada": Family(_stylegan2),
    "r3gan": Family(_r3gan, batches=2),
    "fastgan-projected": Family(_projected, (PACKAGE, "weights"), "EfficientNetLite0"),
}
