"""Files that say more than they hold, in proportions that nobody can build, copy or walk through."""

import json
import pickle
from functools import partial

import numpy as np
import torch
from safetensors.torch import save_file

from mmcgan.checkpoints.checksum import KEY, RULE
from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.extractors.names import extractor_config
from mmcgan.peers.reading.convert import inspect_checkpoint
from mmcgan.registry import EXTRACTORS, GENERATORS
from mmcgan.zoo.discriminators import load_discriminator
from mmcgan.zoo.models import export_weights, load_model
from tests.test_trust import hostile

CONFIG = f"model = {dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)!r}\n"
#: kinds of tensors that torch reads and that are no weights
TENSORS = {
    "sparse": lambda: torch.eye(3).to_sparse(),
    "compressed": lambda: torch.eye(3).to_sparse_csr(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    "without memory": lambda: torch.ones(3, device="meta"),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(2)]),
    "of one byte": lambda: torch.ones(3).to(torch.float8_e4m3fn),
    "conjugate": lambda: torch.ones(3, dtype=torch.complex64).conj(),
    "one number often": lambda: torch.ones(1).expand(10**11),
}
#: of a generator, each more than a file of a few kilobytes can be the weights of
NETWORKS = {
    "size": dict(image_size=2**40),
    "latent": dict(latent_dim=10**12),
    "channels": dict(base_channels=10**5),
    "classes": dict(num_classes=10**10),
    "digits": dict(base_channels=10**400),
    "not a number": dict(base_channels=float("nan")),
    "lists": dict(batch_norm={"eps": [[[{"type": "os.system"}]]]}),
}
SAMPLERS = {
    "classes": dict(type="UniformLabel", num_classes=10**30),
    "store": dict(type="AllInstances", instance_store=dict(size=10**8, dim=1000)),
    "images": dict(type="RealCondition", dataset=dict(type="SyntheticImages", size=10**12, num_classes=3)),
}
#: arrays of a store of six images, and what its metadata says
ARRAYS = dict(
    features=np.ones((6, 4), "f4"),
    neighbours=np.array([[1, 2]] * 6, "i4"),
    radius=np.ones(6, "f4"),
    selected=np.arange(3),
    labels=np.arange(6) % 3,
    class_order=np.arange(6),
    class_starts=np.array([0, 2, 4, 6]),
)
SAID = dict(
    format="mmcgan-instances-1", size=6, dim=4, k=2, num_classes=3, flip=False, classes=["a", "b", "c"],
    extractor=dict(describe=dict(name="x"), config={}), dataset=dict(name="n", fingerprint="x"), command="",
)  # fmt: skip
STORES = {
    "labels far": dict(labels=np.full(6, 99)),
    "labels negative": dict(labels=np.full(6, -7)),
    "labels short": dict(labels=np.arange(2)),
    "selected far": dict(selected=np.array([77])),
    "selected none": dict(selected=np.array([], dtype=int)),
    "starts": dict(class_starts=np.array([0, 10**9, -4, 6])),
    "order": dict(class_order=np.full(6, 99)),
    "few features": dict(features=np.ones((2, 4), "f4")),
    "neighbours": dict(k=50),
    "none near": dict(k=0),
    "many": dict(size=10**9),
    "negative": dict(size=-1),
    "wide": dict(dim=10**9),
    "classes": dict(classes=5),
}
INSTANCES = {
    "one row": dict(feature=torch.ones(4), label=torch.zeros(1, 1, dtype=torch.int16)),
    "none": dict(feature=torch.ones(0, 4), label=torch.zeros(0, 1, dtype=torch.int16)),
    "wide": dict(feature=torch.ones(3, 9), label=torch.zeros(3, 1, dtype=torch.int16)),
    "far": dict(feature=torch.ones(3, 4), label=torch.full((3, 2), 99, dtype=torch.int16)),
    "negative": dict(feature=torch.ones(3, 4), label=torch.full((3, 2), -9, dtype=torch.int16)),
    "labels of one row": dict(feature=torch.ones(3, 4), label=torch.zeros(3, dtype=torch.int16)),
    "no labels": dict(feature=torch.ones(3, 4)),
    "halves": dict(feature=torch.ones(3, 4), label=torch.full((3, 2), 0.5)),
    "nan": dict(feature=torch.full((3, 4), float("nan")), label=torch.zeros(3, 1, dtype=torch.int16)),
}
#: extractors of packages that may be installed, which are imported then
PACKAGED = ("EfficientNetLite0", "TimmExtractor")
#: records of an extractor's file
EXTRACTOR_RECORDS = {
    "empty": {},
    "no widths": {"options": {"image_size": 8}},
    "words": {"options": {"widths": "abc", "image_size": 8}},
    "none": {"options": {"widths": [], "image_size": 8}},
    "negative": {"options": {"widths": [-1, -4], "image_size": 8}},
    "huge": {"options": {"widths": [10**5, 10**5], "image_size": 8}},
    "list": {"options": [1]},
    "size": {"options": {"widths": [4, 4], "image_size": "x"}},
    "others": {"options": {"widths": [4, 4], "image_size": 8}},
}


def doubled(levels, make):
    """Return a value that holds itself twice at each level: a few bytes, 2^levels values."""
    value = 1
    for _ in range(levels):
        value = make(value)
    return value


def read_content(folder, content, reader=load_model):
    path = folder / "sizes.pth"
    torch.save(content, path)
    reader(path)


def read_sealed(folder, tensor):
    """Read a checkpoint with a checksum: it is computed of the tensors."""
    state = {"generator.a": tensor()}
    read_content(folder, {"state_dict": state, "meta": {"seal": "0" * 64}, KEY: f"{RULE}:00"})


def export(folder, tensor):
    """Export weights of which one is not what it should be."""
    weights = {f"generator.{key}": value for key, value in hostile.weights_of(hostile.GENERATOR).items()}
    weights[next(iter(weights))] = tensor()
    content = {"state_dict": weights, "meta": {"cfg": CONFIG}}
    read_content(folder, content, lambda path: export_weights(path, folder / "sizes-out.safetensors"))


def read_network(folder, **settings):
    generator = {**hostile.GENERATOR, **settings}
    path = hostile.write_exported(folder / "sizes.safetensors", hostile.record(generator))
    load_model(path)


def read_sampler(folder, sampler):
    path = hostile.write_exported(folder / "sizes.safetensors", hostile.record(sampler=sampler))
    load_model(path).condition_sampler.sample(2, torch.Generator())


def read_store(folder, changes):
    there = folder / "store"
    there.mkdir(exist_ok=True)
    said = {**SAID, **{key: value for key, value in changes.items() if key in SAID}, "files": {}}
    for name, array in ({**ARRAYS, **{k: v for k, v in changes.items() if k in ARRAYS}}).items():
        np.save(there / f"{name}.npy", array)
        said["files"][f"{name}.npy"] = dict(bytes=(there / f"{name}.npy").stat().st_size)
    (there / "metadata.json").write_text(json.dumps(said))
    for kind in ("AllInstances", "KMeansInstances", "ClassInstances"):
        sampler = dict(type=kind, instance_store="store", num_classes=3)
        path = folder / "sizes.safetensors"
        hostile.write_exported(path, hostile.record(hostile.INSTANCE, sampler), hostile.INSTANCE)
        load_model(path).condition_sampler.sample(4, torch.Generator())


def read_instances(folder, tensors):
    path = folder / "sizes.safetensors"
    weights = {f"instances.{key}": value for key, value in tensors.items()}
    sampler = dict(type="AllInstances", instance_store="none")
    record = json.dumps(hostile.record(CLASSED, sampler))
    save_file({**hostile.weights_of(CLASSED), **weights}, path, {"format": hostile.FORMAT, "record": record})
    loaded = load_model(path)
    loaded.model.sample(loaded.condition_sampler.sample(2, torch.Generator()), generator=torch.Generator())


CLASSED = {**hostile.INSTANCE, "num_classes": 3}


def read_extractor(folder, record):
    path = folder / "sizes-extractor.safetensors"
    save_file({"a.b": torch.ones(2)}, path, dict(format="mmcgan-ssl-extractor-1", record=json.dumps(record)))
    EXTRACTORS.build(extractor_config(str(path)))


def read_judge(folder, extractor):
    """Read a discriminator whose frozen network would have to be fetched, or read elsewhere."""
    backbone = dict(type="ProjectedBackbone", extractor=extractor, image_size=32)
    record = dict(discriminator=dict(backbone=backbone, heads=dict(adv=dict(type="AdversarialHead"))))
    path = folder / "sizes-judge.safetensors"
    save_file({"a.b": torch.ones(2)}, path, dict(format="mmcgan-discriminator-1", record=json.dumps(record)))
    load_discriminator(path)


def read_script(folder, reader):
    path = folder / "sizes-script.pth"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(path))
    reader(path)


def read_pickled(folder, content):
    path = folder / "sizes-plain.pth"
    path.write_bytes(pickle.dumps(content))
    inspect_checkpoint(path)


def cases():
    """Return what is tried, by name."""
    found = {f"sealed tensor {name}": partial(read_sealed, tensor=x) for name, x in TENSORS.items()}
    found |= {f"tensor {name} exported": partial(export, tensor=x) for name, x in TENSORS.items()}
    found |= {
        f"tensor {name} converted": lambda folder, x=x: read_content(
            folder, {"a.b": x(), "c.d": x()}, inspect_checkpoint
        )
        for name, x in TENSORS.items()
    }
    found |= {f"network of {name}": partial(read_network, **x) for name, x in NETWORKS.items()}
    found |= {f"sampler of {name}": partial(read_sampler, sampler=x) for name, x in SAMPLERS.items()}
    found |= {f"store {name}": partial(read_store, changes=x) for name, x in STORES.items()}
    found |= {f"instances {name}": partial(read_instances, tensors=x) for name, x in INSTANCES.items()}
    found |= {f"extractor {name}": partial(read_extractor, record=x) for name, x in EXTRACTOR_RECORDS.items()}
    for kind in sorted(EXTRACTORS.names()):
        if kind not in PACKAGED:
            found[f"judge {kind}"] = partial(read_judge, extractor=dict(type=kind))
            found[f"judge {kind} of a file"] = partial(read_judge, extractor=dict(type=kind, weights="x.pth"))
    return found | _repetitions() | _programs()


def _repetitions():
    """Return files of which a kilobyte says a quintillion values."""
    weights = {"generator.a": torch.ones(1)}
    both, pair = (lambda x: {"a": x, "b": x}), (lambda x: [x, x])
    nested = doubled(40, lambda x: {"g": x, "g_ema": x, "state_dict": x})
    places = {
        "meta": dict(state_dict=weights, meta={"x": doubled(60, both), "cfg": CONFIG}),
        "classes": dict(
            state_dict=weights, meta=dict(dataset_meta=dict(classes=doubled(60, pair)), cfg=CONFIG)
        ),
        "figures": dict(
            state_dict=weights,
            meta=dict(cfg=CONFIG),
            message_hub=dict(scalars={"val/x": dict(values=doubled(60, pair))}),
        ),
        "checksum": {"state_dict": weights, "meta": {"x": doubled(60, both)}, KEY: f"{RULE}:00"},
        "text": dict(state_dict=weights, meta=dict(x=["y" * 10**6] * 10**4, cfg=CONFIG)),
        "digits": {"state_dict": weights, "meta": {"x": 10**9000}, KEY: f"{RULE}:00"},
    }
    found = {f"repeated {name}": partial(read_content, content=x) for name, x in places.items()}
    found["repeated networks"] = partial(read_content, content={"model": nested}, reader=inspect_checkpoint)
    found["repeated pickle"] = partial(read_pickled, content={"model": nested})
    return found


def _programs():
    readers = dict(checkpoint=load_checkpoint, model=load_model, conversion=inspect_checkpoint)
    return {f"script as {name}": partial(read_script, reader=x) for name, x in readers.items()}


def prepare():
    """Import what the first reader of each kind does."""
    GENERATORS.build(dict(CLASSED))
