"""The config file that is written beside converted weights."""

from __future__ import annotations

from collections.abc import Mapping
from pprint import pformat
from typing import Any

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

TEMPLATE = """# {title}
# It rebuilds the model: mmcgan sample {name}.py {name}.safetensors{load_note}
_base_ = "{{{{$MMCGAN_CONFIGS:}}}}/_base_/default_runtime.py"
model = {model}
{dataset_note}train_dataloader = {loader}
optim_wrapper = {optim_wrapper}
train_cfg = dict(type="GANTrainLoop", max_iters=10_000)
{load}"""


def config_text(name: str, title: str, record: Config, discriminator: Config | None) -> str:
    """Return the text of ``<name>.py``: a model that can be sampled from and trained on.

    Args:
        name: of the files, without suffix.
        title: first line.
        record: configs of generator, latent and condition sampler.
        discriminator: config of the discriminator that was converted, None if there was none.
    """
    generator = record["generator"]
    inner = generator.get("generator", generator)
    classes, size = inner.get("num_classes", 0), inner["image_size"]
    dataset = label_maps_of(inner) if "num_map_classes" in inner else dataset_of(classes, size)
    model = {
        "type": "ConditionalGAN",
        "generator": generator,
        "discriminator": discriminator or default_discriminator(inner),
        "losses": losses((discriminator or default_discriminator(inner))["heads"]),
        "latent_sampler": record["latent_sampler"],
        "condition_sampler": record["condition_sampler"],
    }
    made_up = dataset["type"].startswith("Synthetic")
    note = "# Stand-in: put the images that it was trained on here.\n" if made_up else ""
    rate = {"optimizer": {"type": "Adam", "lr": 2e-5, "betas": (0.0, 0.999), "eps": 1e-6}}
    load = f'load_from = "{{{{ fileDirname }}}}/{name}.pth"\n' if discriminator else ""
    return TEMPLATE.format(
        title=title,
        name=name,
        load_note=f"\n# Training goes on from the converted {name}.pth." if load else "",
        model=_text(model),
        dataset_note=note,
        loader=_text(
            {
                "batch_size": 16,
                "num_workers": 0,
                "dataset": dataset,
                "sampler": {"type": "InfiniteShuffle"},
                "collate_fn": {"type": "gan_collate"},
            }
        ),
        optim_wrapper=_text(
            {"constructor": "GANOptimWrapperConstructor", "generator": rate, "discriminator": rate}
        ),
        load=load,
    )


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


def _text(value: Any) -> str:
    return pformat(value, width=100, sort_dicts=False)
