"""Files such as a stranger would make to run something, read something or bring a command down."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

from mmcgan.checkpoints.files import save_checkpoint
from mmcgan.registry import GENERATORS
from mmcgan.zoo.models import GeneratorRecord
from mmcgan.zoo.reading import FORMAT
from tests.tiny_networks import tiny_biggan

GENERATOR = dict(type="DCGANGenerator", image_size=8, num_classes=3, base_channels=4, latent_dim=6)
PAINTER = dict(type="SPADEGenerator", image_size=32, num_map_classes=3, channels=[4] * 8, hidden_channels=4)
INSTANCE = tiny_biggan(0, 24, shared_dim=4, instance_dim=4, instance_embedding_dim=4)
LABEL = dict(type="UniformLabel", num_classes=3)


def commands(flag):
    """Return configs that would leave the file ``flag`` if they were built in the usual way."""
    touch = f"touch {flag}"
    system = dict(type="os.system", command=touch)
    return {
        "function": system,
        "scope": dict(type="DigitsDataset", _scope_="payload"),
        "antigravity": dict(type="DigitsDataset", _scope_="antigravity"),
        "concatenated": dict(type="ConcatDataset", datasets=[system]),
        "scoped concatenation": dict(type="mmengine.ConcatDataset", datasets=[system]),
        "repeated": dict(type="RepeatDataset", dataset=system, times=1),
        "composed": digits(dict(type="Compose", transforms=[system])),
        "mmcv's": digits(dict(type="mmcv.Compose", transforms=[system])),
        "at random": digits(dict(type="RandomApply", transforms=[system], prob=1.0)),
        "of several": digits(dict(type="RandomChoice", transforms=[[system]])),
        "resize type": digits(
            dict(type="RandomResize", scale=(8, 8), resize_type="os.system", command=touch)
        ),
        "choice of sizes": digits(dict(type="RandomChoiceResize", scales=[8], resize_type="os.system")),
        "padding": digits(dict(type="CenterCrop", crop_size=99, auto_pad=True, pad_cfg=system)),
        "broadcast": digits(dict(type="TransformBroadcaster", transforms=[system])),
        "many scales": digits(dict(type="MultiScaleFlipAug", transforms=[system], scales=[(8, 8)])),
        "at test time": digits(dict(type="TestTimeAug", transforms=[[system]])),
        "nested": dict(type="ImbalancedDataset", dataset=dict(type="ClassSubset", dataset=system, keep=[0])),
        "a base": dict(type="DigitsDataset", _base_=f"{flag}.py"),
        "a runner": dict(type="DigitsDataset", runner_type="os.system"),
        "a class": dict(type="subprocess.Popen", args=touch, shell=True),
    }


def readers(secret):
    """Return data sets and samplers that would read ``secret``, a folder elsewhere."""
    folder = str(secret)
    return {
        "images": dict(type="ImageFolder", root=folder, image_size=8),
        "upwards": dict(type="ImageFolder", root="../secret", image_size=8),
        "home": dict(type="ImageFolder", root="~/secret", image_size=8),
        "list": dict(type="ImageList", root=folder, names=f"{folder}/names.txt", image_size=8),
        "packed": dict(type="PackedDataset", root=folder),
        "fashion": dict(type="FashionMNIST", root=folder),
        "by default": dict(type="CIFAR10"),
        "download": dict(type="FashionMNIST", root="here", download=True),
        "nested": dict(type="ClassSubset", dataset=dict(type="PackedDataset", root=folder), keep=[0]),
        "neighbours": dict(type="NeighbourhoodDataset", dataset=digits(), store=folder),
        "attributes": dict(type="AttributeFolder", root="x", table=f"{folder}/table.csv", image_size=8),
    }


def digits(*pipeline):
    """Return the digits, with transforms."""
    return dict(type="DigitsDataset", image_size=16, pipeline=list(pipeline))


def record(generator=GENERATOR, sampler=LABEL, **more):
    """Return the record of a generator as exported files have it."""
    return {**asdict(GeneratorRecord(generator, dict(type="NormalLatent"), sampler)), **more}


def weights_of(generator):
    """Return fresh weights."""
    return {key: value.contiguous() for key, value in GENERATORS.build(dict(generator)).state_dict().items()}


def write_exported(path, content, generator=GENERATOR, form=FORMAT):
    """Write a record (or text in its place) with fitting weights as exported weights."""
    text = content if isinstance(content, str) else json.dumps(content)
    save_file(weights_of(generator), path, {"format": form, "record": text})
    return Path(path)


def write_run(path, model, dataset=None, text=None, generator=GENERATOR, **meta):
    """Write what looks like a checkpoint of a run whose config has ``model``, not sealed by this user."""
    config = text or f"model = {model!r}\ntrain_dataloader = {dict(dataset=dataset or digits())!r}\n"
    state = {f"generator.{key}": value for key, value in weights_of(generator).items()}
    content = {"state_dict": state, "meta": {"cfg": config, "iter": 1, **meta}}
    # a file with a seal is one of ours, which always has a checksum
    save_checkpoint(content, path) if "seal" in meta else torch.save(content, path)
    return Path(path)


EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 16 16
%%EndComments
newpath 0 0 16 16 rectfill
showpage
%%EOF
"""
