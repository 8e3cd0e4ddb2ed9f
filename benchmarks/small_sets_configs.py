"""The configs of ``small_sets.py``, put together from parts: a set, a family of networks, a conditioning."""

from __future__ import annotations

import pprint
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from small_sets_data import FROZEN, ImageSet

from mmcgan.datasets.base import ImageDataset
from mmcgan.registry import DATASETS

Settings = dict[str, Any]
#: images behind which R3GAN's schedules end and ADA's probability may have gone from 0 to 1
HORIZON = 50_000
D2DCE: Settings = {
    "type": "D2DCELoss",
    "temperature": 0.5,
    "positive_margin": 0.98,
    "weights": {"real": 0.5, "generated": 0.5},
}
REALNESS: Settings = {"logit": "omni.score", "reading": "real_minus_fake"}
EMPIRICAL: Settings = {"_delete_": True, "type": "EmpiricalLabel"}
CONSTANT: Settings = {"_delete_": True, "type": "ConstantLabel", "label": 0}
INSTANCES: Settings = {"_delete_": True, "type": "AllInstances", "num_classes": 0}


@dataclass(frozen=True)
class Setting:
    """What is trained: a set, a family, a conditioning, a seed."""

    chosen: ImageSet
    family: str
    conditioning: str
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.chosen.name}_{self.family}_{self.conditioning}_seed-{self.seed}"


def config_text(setting: Setting, state: Path) -> str:
    """Return the text of a config."""
    base, model, more = _PARTS[setting.family](setting)
    parts = {"model": model, "train_dataloader": _data(setting, state, more.pop("batch_size", 64)), **_common}
    parts["randomness"] = {"seed": setting.seed}
    for key, value in more.items():
        parts[key] = {**parts.get(key, {}), **value}
    bases = [f"{{{{$MMCGAN_CONFIGS:}}}}/_base_/{path}.py" for path in base]
    lines = [f"_base_ = {bases!r}"]
    lines += [f"{key} = {pprint.pformat(value, width=100, sort_dicts=False)}" for key, value in parts.items()]
    return "\n".join(lines) + "\n"


_common: Settings = {
    # the budget ends a training, not a number of iterations
    "train_cfg": {"max_iters": 10_000_000, "val_interval": 10_000_000},
    "default_hooks": {
        "logger": {"interval": 50},
        "sample_grid": None,
        "report": None,
        "checkpoint": {"_delete_": True, "type": "GANCheckpointHook", "interval": 100, "max_keep": 1},
    },
}


def _data(setting: Setting, state: Path, batch_size: int) -> Settings:
    chosen = setting.chosen
    dataset = chosen.dataset(state)
    if setting.conditioning == "instance":
        built: ImageDataset = DATASETS.build(dict(dataset))
        near = min(50, max(5, len(built) // 20))
        store = str(chosen.store(state))
        dataset = {"type": "NeighbourhoodDataset", "dataset": dataset, "store": store, "k": near}
    return {
        "batch_size": batch_size,
        "num_workers": 0,
        "dataset": dataset,
        "sampler": {"type": "InfiniteShuffle"},
        "collate_fn": {"type": "gan_collate"},
    }


def _channels(setting: Setting, widths: tuple[int, ...]) -> tuple[int, ...]:
    """Return channels from the coarsest to the finest maps; for 64 pixels the finest stage once more."""
    return widths if setting.chosen.image_size == 32 else (*widths, widths[-1])


def _biggan(setting: Setting) -> tuple[list[str], Settings, Settings]:
    kind = setting.conditioning
    base = {
        "unconditional": "biggan-unconditional",
        "projection": "biggan",
        "omni": "omnigan",
        "d2dce": "reacgan",
        "instance": "icgan",
    }[kind]
    widths = _channels(setting, (64, 64, 32, 16))
    generator: Settings = {"channels": widths, "latent_dim": 80, "attention_resolutions": ()}
    generator |= {"instance_embedding_dim": 64} if kind == "instance" else {"shared_dim": 64}
    backbone = {"channels": tuple(reversed(widths)), "attention_resolutions": ()}
    model: Settings = {
        "generator": generator,
        "discriminator": {"backbone": backbone},
        "augment": {"type": "DiffAugment", "policy": setting.chosen.policy},
    }
    if kind in ("projection", "omni", "d2dce"):
        model["condition_sampler"] = EMPIRICAL
    return [f"models/{base}", "schedules/laptop-fashion-mnist"], model, {}


def _stylegan2(setting: Setting) -> tuple[list[str], Settings, Settings]:
    kind = setting.conditioning
    plain = {"_delete_": True, "type": "AdversarialHead", "spectral_norm": False}
    omni = {"_delete_": True, "omni": {"type": "OmniHead", "spectral_norm": False}}
    heads: Settings = {
        "unconditional": {"adv": plain},
        "projection": {},
        "omni": omni,
        "d2dce": {"adv": plain, "cls": {"type": "ProxyHead", "embed_dim": 64, "spectral_norm": False}},
        "instance": {"adv": {"num_classes": 0}},
    }[kind]
    none = {"num_classes": 0} if kind in ("unconditional", "instance") else {}
    model: Settings = {
        "generator": none,
        "discriminator": {"heads": heads},
        "augment": {"type": "ADA", "adapt": {"target": 0.6, "kimg": HORIZON // 1000, "interval": 4}},
        "condition_sampler": _sampler(kind),
    }
    model |= _losses(kind)
    if kind == "omni":
        model["regularizers"] = {"r1": REALNESS}
        model["augment"]["adapt"] |= REALNESS
    return ["models/stylegan2-laptop", "schedules/laptop-stylegan2"], model, {}


def _r3gan(setting: Setting) -> tuple[list[str], Settings, Settings]:
    kind = setting.conditioning
    plain = {"_delete_": True, "type": "InnerProductHead", "num_classes": 0}
    heads: Settings = {
        "unconditional": {"adv": plain},
        "projection": {},
        "omni": {"_delete_": True, "omni": {"type": "OmniHead", "spectral_norm": None}},
        "d2dce": {"adv": plain, "cls": {"type": "ProxyHead", "embed_dim": 64, "spectral_norm": None}},
        "instance": {"adv": {"num_classes": 0}},
    }[kind]
    widths, groups = _channels(setting, (64, 48, 32, 16)), _channels(setting, (8, 6, 4, 2))
    blocks = (1,) * len(widths)
    generator: Settings = {"latent_dim": 64, "channels": widths, "groups": groups, "blocks": blocks}
    generator |= {"label_dim": 32} if kind in ("projection", "omni", "d2dce") else {"num_classes": 0}
    generator |= {"instance_embedding_dim": 32} if kind == "instance" else {}
    backbone = {"channels": widths[::-1], "groups": groups[::-1], "blocks": blocks}
    model: Settings = {
        "generator": generator,
        "discriminator": {"backbone": backbone, "heads": heads},
        "augment": {
            "type": "ADA",
            "transforms": ("bgc", "cutout"),
            "p": 0.0,
            "shares": {"colour": 0.5},
        },
        "data_preprocessor": {"flip_probability": 0.0},
    }
    if kind in ("unconditional", "instance"):
        model["condition_sampler"] = _sampler(kind)
    model |= _losses(kind)
    if kind == "omni":
        model["regularizers"] = dict.fromkeys(("r1", "r2"), REALNESS)
    return ["models/r3gan-networks", "schedules/laptop-r3gan"], model, _r3gan_schedule()


def _r3gan_schedule() -> Settings:
    """Return R3GAN's half cosines, its augmentation's among them, over as many images as a run may see."""
    ends = {
        "optimizer.generator.lr": (5e-4, 1e-4),
        "optimizer.discriminator.lr": (5e-4, 1e-4),
        "optimizer.generator.beta2": (0.9, 0.99),
        "optimizer.discriminator.beta2": (0.9, 0.99),
        "regularizers.r1.weight": (0.1, 0.01),
        "regularizers.r2.weight": (0.1, 0.01),
        "generator_ema.half_life_images": (0, 5_000),
        "augment.probability.p": (0.0, 0.55),
    }
    values = {
        key: {"kind": "cosine", "start": start, "end": end, "until": HORIZON}
        for key, (start, end) in ends.items()
    }
    hooks = {
        "generator_ema": {"half_life_images": 5_000},
        "schedule": {"_delete_": True, "type": "ScheduleHook", "unit": "images", "values": values},
    }
    return {"batch_size": 128, "default_hooks": hooks}


def _projected(setting: Setting) -> tuple[list[str], Settings, Settings]:
    kind = setting.conditioning
    every = {"type": "EachScale", "scales": 3}
    patch: Settings = {
        "_delete_": True,
        "type": "PatchHead",
        "kernel_size": 4,
        "padding": 0,
        "bias": False,
        "spectral_norm": {"eps": 1e-12, "iterate_in_eval": False},
    }
    heads: Settings = {
        "unconditional": {"adv": {"head": patch}},
        "projection": {},
        "omni": {"_delete_": True, "omni": {**every, "head": {"type": "OmniHead"}}},
        "d2dce": {"adv": {"head": patch}, "cls": {**every, "head": {"type": "ProxyHead", "embed_dim": 64}}},
        "instance": {"adv": {"head": {"num_classes": 0}}},
    }[kind]
    backbone: Settings = {
        "extractor": {"_delete_": True, **FROZEN},
        "strides": (4, 8, 16),
        "resize": "bilinear",
    }
    generator: Settings = {}
    if kind in ("unconditional", "instance"):
        generator |= {"num_classes": 0}
    generator |= {"instance_embedding_dim": 64} if kind == "instance" else {}
    model: Settings = {
        "generator": generator,
        "discriminator": {"backbone": backbone, "heads": heads},
        "augment": {"policy": setting.chosen.policy},
    }
    if kind in ("unconditional", "instance"):
        model["condition_sampler"] = _sampler(kind)
    model |= _losses(kind)
    return ["models/projected-small", "schedules/laptop-fashion-mnist"], model, {}


def _sampler(kind: str) -> Settings:
    return {"unconditional": CONSTANT, "instance": INSTANCES}.get(kind, EMPIRICAL)


def _losses(kind: str) -> Settings:
    """Return the losses that a conditioning puts in the place of, or beside, the adversarial one."""
    if kind == "omni":
        return {"losses": {"_delete_": True, "omni": {"type": "OmniLoss"}}}
    return {"losses": {"contrastive": D2DCE}} if kind == "d2dce" else {}


_PARTS = {
    "biggan-diffaug": _biggan,
    "stylegan2-ada": _stylegan2,
    "r3gan": _r3gan,
    "fastgan-projected": _projected,
}
