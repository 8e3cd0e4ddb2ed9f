"""The config file that is written beside converted weights."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.code_text import assignment, beside, comment, inherits
from mmcgan.peers.reading.shapes import Config
from mmcgan.samplers.default_law import latent_law

#: Data sets that number of classes and image size name; others are for the user to fill in.
NAMED: dict[tuple[int, int], Config] = {
    (10, 32): {"type": "CIFAR10", "root": "data", "split": "train"},
    (100, 32): {"type": "CIFAR100", "root": "data", "split": "train"},
}
IMAGENET_CLASSES = 1000

#: Losses by type of head: name, and the config; the first that is there trains the network.
LOSSES: dict[str, tuple[str, Config]] = {
    "ClassifierHead": (
        "classification",
        {"type": "CrossEntropyLoss", "weights": {"real": 1.0, "generated": 1.0}},
    ),
    "ProxyHead": ("contrastive", {"type": "D2DCELoss", "weights": {"real": 0.5, "generated": 0.5}}),
    "OmniHead": ("omni", {"type": "OmniLoss"}),
}
ADVERSARIAL = (
    "AdversarialHead",
    "ProjectionHead",
    "ConditionProjectionHead",
    "MappedProjectionHead",
    "PerClassHead",
)

_PLAYER: Config = {"optimizer": {"type": "Adam", "lr": 2e-5, "betas": (0.0, 0.999), "eps": 1e-6}}
OPTIMIZERS: Config = {
    "constructor": "GANOptimWrapperConstructor",
    "generator": _PLAYER,
    "discriminator": _PLAYER,
}


def config_text(name: str, title: str, record: Config, discriminator: Config | None, folder: Path) -> str:
    """Return the text of ``<name>.py``: a model that can be sampled from and trained on.

    Args:
        name: of the files, without suffix.
        title: first line.
        record: configs of generator, latent and condition sampler.
        discriminator: config of the discriminator that was converted, None if there was none.
        folder: where the files will lie.
    """
    dataset, loads = dataset_for(record), discriminator is not None
    made_up = dataset["type"].startswith("Synthetic")
    rebuilt = shlex.join(["mmcgan", "sample", f"{name}.py", f"{name}.safetensors"])
    return "\n".join(
        [
            comment(title),
            comment(f"It rebuilds the model: {rebuilt}"),
            *([comment(f"Training goes on from the converted {name}.pth.")] if loads else []),
            inherits(["_base_/default_runtime"]),
            assignment("model", _model(record, discriminator)),
            *([comment("Stand-in: put the images that it was trained on here.")] if made_up else []),
            assignment("train_dataloader", _loader(dataset)),
            assignment("optim_wrapper", OPTIMIZERS),
            assignment("train_cfg", {"type": "GANTrainLoop", "max_iters": 10_000}),
            *([f"load_from = {beside(f'{name}.pth', folder)}"] if loads else []),
            "",
        ]
    )


def _model(record: Config, discriminator: Config | None) -> Config:
    generator = record["generator"]
    discriminator = discriminator or default_discriminator(generator.get("generator", generator))
    return {
        "type": "ConditionalGAN",
        "generator": generator,
        "discriminator": discriminator,
        "losses": losses(discriminator["heads"]),
        "latent_sampler": record["latent_sampler"],
        "condition_sampler": record["condition_sampler"],
    }


def _loader(dataset: Config) -> Config:
    return {
        "batch_size": 16,
        "num_workers": 0,
        "dataset": dataset,
        "sampler": {"type": "InfiniteShuffle"},
        "collate_fn": {"type": "gan_collate"},
    }


def dataset_for(record: Config) -> Config:
    """Return the data set that a generator usually means: of label maps, a known one or made-up images."""
    inner = record["generator"].get("generator", record["generator"])
    if "num_map_classes" in inner:
        return label_maps_of(inner)
    return dataset_of(inner.get("num_classes", 0), inner["image_size"])


def dataset_of(num_classes: int, image_size: int) -> Config:
    """Return the data set that a number of classes and a size usually mean, or made-up images."""
    if num_classes == IMAGENET_CLASSES:
        return {"type": "ImageNet", "root": "data/imagenet", "split": "train", "image_size": image_size}
    stand_in = {"type": "SyntheticImages", "num_classes": num_classes, "image_size": image_size}
    return dict(NAMED.get((num_classes, image_size), stand_in))


def label_maps_of(generator: Mapping[str, Any]) -> Config:
    """Return made-up images with label maps of the generator's kind."""
    names = ("image_size", "num_map_classes", "has_edges")
    return {"type": "SyntheticLabelMaps", **{name: generator[name] for name in names}}


def default_discriminator(generator: Mapping[str, Any]) -> Config:
    """Return a discriminator to train with where none was converted."""
    if "num_map_classes" in generator:
        seen = {name: generator[name] for name in ("num_map_classes", "has_edges")}
        patches = {"patch_0": {"type": "PatchHead", "kernel_size": 4, "spectral_norm": False}}
        return {"backbone": {"type": "PatchBackbone", **seen, "num_scales": 1}, "heads": patches}
    classes, instances = generator["num_classes"], generator.get("instance_dim", 0)
    style = generator["type"] == "StyleGAN2Generator"
    backbone: Config = {"type": "StyleGAN2Backbone" if style else "ResNetBackbone"}
    if style:
        widths = ("channels", "channel_base", "max_channels")  # written out, or by the rule of the paper
        backbone |= {name: generator[name] for name in widths if name in generator}
    backbone["image_size"] = generator["image_size"]
    head: Config = {"type": "AdversarialHead"}
    if classes or instances:
        head = {
            "type": "MappedProjectionHead" if style else "ConditionProjectionHead",
            "num_classes": classes,
        }
        head["instance_dim"] = instances
    elif style:
        head["spectral_norm"] = False
    return {"backbone": backbone, "heads": {"adv": head}, **({"init": "equalized"} if style else {})}


def losses(heads: Mapping[str, Config]) -> Config:
    """Return losses that train the heads, each wired to its head."""
    found: Config = {}
    patches = [f"{name}.logit" for name, head in heads.items() if head["type"] == "PatchHead"]
    if patches:
        found["adversarial"] = {"type": "HingeLoss", "inputs": {"logit": patches}}
    for name, head in heads.items():
        kind = head["type"]
        if kind in ADVERSARIAL:
            found["adversarial"] = {"type": "HingeLoss", "inputs": {"logit": f"{name}.logit"}}
        elif kind in LOSSES and name in ("cls", "omni"):
            label, loss = LOSSES[kind]
            found[label] = dict(loss)
    return found


def latent_sampler_of(generator: Config, heads: Mapping[str, Config]) -> Config:
    """Return what draws the latents; codes of InfoGAN where the discriminator's heads say how many."""
    code_dim = generator.get("code_dim", 0)
    discrete, continuous = heads.get("discrete_code", {}), heads.get("continuous_code", {})
    count = discrete.get("codes", 0) * discrete.get("values", 0) + continuous.get("codes", 0)
    if not code_dim or count != code_dim:
        return latent_law(None)
    sizes = {"codes": discrete.get("codes", 0), "values": discrete.get("values", 10)}
    return {"type": "CodedLatent", **sizes, "continuous": continuous.get("codes", 0)}


def condition_sampler_of(generator: Config) -> Config:
    """Return what draws conditions: labels, instances of a store that the user prepares, or nothing."""
    inner = generator.get("generator", generator)
    if "num_map_classes" in inner:
        return {"type": "RealCondition", "dataset": label_maps_of(inner)}
    classes = inner["num_classes"]
    if inner.get("instance_dim"):
        return {"type": "AllInstances", "num_classes": classes, "instance_store": "data/instances"}
    return (
        {"type": "UniformLabel", "num_classes": classes} if classes else {"type": "ConstantLabel", "label": 0}
    )
