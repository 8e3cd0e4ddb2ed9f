"""Reads files made to attack their readers, under the guard; prints a JSON report.

A program of its own (``python -m tests.test_trust.run_attacks FOLDER``), because audit hooks stay. A case is
a function that writes one file and reads it as users do; it must end in a sentence that names the file, or
in something harmless.
"""

import io
import json
import os
import resource
import struct
import sys
import tarfile
import traceback
import warnings
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import torch

from mmcgan import closed_world
from mmcgan.array_files import read_arrays
from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.closed_world import REFUSED_KEYS
from mmcgan.peers.reading.convert import inspect_checkpoint
from mmcgan.registry import DATASETS, GENERATORS
from mmcgan.zoo.models import load_model
from tests.test_checkpoints.test_restricted import hostile_layers
from tests.test_peers.networks import generator_state
from tests.test_trust import hostile, hostile_sizes
from tests.test_trust.guard import Guard
from tests.test_trust.hostile_values import (
    DATASETS_OF_RECORDS,
    HEADERS,
    LENGTHS,
    PLACES,
    PROGRAMS,
    TENSOR,
    TYPES,
)
from tests.test_trust.run_commands import Payload, import_everything

#: bytes that the whole process may map: whoever builds what a file describes runs into it
MEMORY = 12 << 30


def raw(folder, header, length=None, body=b"\0" * 16):
    """Write a safetensors file byte by byte and return it."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "attack.safetensors"
    path.write_bytes(struct.pack("<Q", len(content) if length is None else length) + content + body)
    return path


def read_raw(folder, header, length=None):
    load_model(raw(folder, header, length)).model  # noqa: B018


def read_record(folder, **parts):
    """Read a model whose record has these parts, and build all that it names."""
    loaded = load_model(hostile.write_exported(folder / "attack.safetensors", hostile.record() | parts))
    if loaded.record.dataset:
        closed_world.build(DATASETS, loaded.record.dataset, loaded.origin, "dataset")
    loaded.condition_sampler.sample(1, torch.Generator())


def read_duplicates(folder):
    text = json.dumps(hostile.record())
    twice = text[:-1] + ', "condition_sampler": {"type": "os.system", "command": "true"}}'
    load_model(hostile.write_exported(folder / "attack.safetensors", twice)).condition_sampler  # noqa: B018


def read_run(folder, line):
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    text = f"model = {model!r}\n{line.format(flag=folder / 'flag')}\n"
    load_model(hostile.write_run(folder / "attack.pth", model, text=text)).condition_sampler  # noqa: B018


def read_meta(folder, key, value):
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    load_model(hostile.write_run(folder / "attack.pth", model, **{key: value})).condition_sampler  # noqa: B018


def read_zip(folder, member):
    """Read a checkpoint with a further member whose name leads elsewhere, or that is a link."""
    path = folder / "attack.pth"
    torch.save({"state_dict": {"generator.a": torch.ones(2)}}, path)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo(member)
        info.external_attr = 0o120777 << 16  # a symbolic link
        archive.writestr(info, "/etc/passwd")
    load_checkpoint(path)


def read_tar(folder):
    path = folder / "attack.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
    load_checkpoint(path)


def read_npz(folder):
    with zipfile.ZipFile(folder / "attack.npz", "w") as archive:
        stream = io.BytesIO()
        np.save(stream, np.array([Payload(folder / "flag")], dtype=object), allow_pickle=True)
        archive.writestr("mu.npy", stream.getvalue())
    read_arrays(folder / "attack.npz", ["mu"])


def read_settings(folder, settings):
    """Convert weights of another codebase beside which a stranger's settings lie."""
    there = folder / "attack"
    there.mkdir(exist_ok=True)
    torch.save(generator_state(), there / "G_ema.pth")
    (there / "settings.json").write_text(settings if isinstance(settings, str) else json.dumps(settings))
    inspect_checkpoint(there)


def read_pickle(folder, content):
    """Convert a file that holds a whole network of another codebase."""
    (folder / "attack.pkl").write_bytes(content)
    inspect_checkpoint(folder / "attack.pkl")


def read_labels(folder, name, content):
    """Build a folder of images with a file of labels that names files elsewhere."""
    from PIL import Image

    there = folder / "attack"
    there.mkdir(exist_ok=True)
    for file in there.iterdir():
        file.unlink()
    Image.new("RGB", (8, 8)).save(there / "a.png")
    (there / name).write_text(content)
    dataset = DATASETS.build(dict(type="ImageFolder", root=str(there), image_size=8))
    return dataset[0]


def cases():
    """Return what is tried, by name."""
    found = {f"header length {size}": partial(read_raw, header={}, length=size) for size in LENGTHS}
    found |= {f"header: {name}": partial(read_raw, header=header) for name, header in HEADERS.items()}
    found["header: deep"] = partial(read_raw, header=b"[" * 100_000)
    found["header: twice a name"] = partial(
        read_raw,
        header=b'{"a": ' + json.dumps(TENSOR).encode() + b', "a": ' + json.dumps(TENSOR).encode() + b"}",
    )
    found["record: twice a key"] = read_duplicates
    for kind in TYPES:
        name = repr(kind)[:40]
        found[f"type {name}"] = partial(read_record, generator={**hostile.GENERATOR, "type": kind})
        found[f"sampler {name}"] = partial(read_record, condition_sampler={**hostile.LABEL, "type": kind})
    for key in REFUSED_KEYS:
        deep = {**hostile.GENERATOR, "batch_norm": {"eps": {"a": [{key: "payload"}]}}}
        found[f"key {key}"] = partial(read_record, generator=deep)
        found[f"key {key} of a sampler"] = partial(
            read_record, condition_sampler={**hostile.LABEL, key: "payload"}
        )
    for place in PLACES:
        found[f"store {place!r}"] = partial(
            read_record, condition_sampler=dict(type="AllInstances", instance_store=place)
        )
        found[f"folder {place!r}"] = partial(
            read_record, dataset=dict(type="ImageFolder", root=place, image_size=8, labelled=False)
        )
    for name, config in DATASETS_OF_RECORDS.items():
        found[f"data set: {name}"] = partial(read_record, dataset=config)
    return found | _cases_of_files() | hostile_sizes.cases()


def _cases_of_files():
    """Return what is tried of files that are no records."""
    found = {f"config {line!r}": partial(read_run, line=line) for line in PROGRAMS}
    for key, value in {
        "components": {"DCGANGenerator": "os.system 1.0"},
        "started_in": "/",
        "dataset_meta": [1],
        "mmcgan_version": ["9"],
        "history": "x" * 10_000,
        "seal": "0" * 64,
    }.items():
        found[f"meta {key}"] = partial(read_meta, key=key, value=value)
    found |= {
        f"zip {name}": partial(read_zip, member=name) for name in ("../../evil", "/etc/evil", "attack/link")
    }
    layers = hostile_layers("touch flag")
    found |= {f"network: {name}": partial(read_pickle, content=layers[name]) for name in layers}
    found |= {"tar of links": read_tar, "npz of pickles": read_npz}
    for number, settings in enumerate(
        (
            "[" * 90_000,
            [],
            {"G_ema": "os.system"},
            {"G_ema": {"format": "os.system", "constructor_kwargs": {"type": "os.system"}}},
            {
                "G_ema": {
                    "format": "biggan_pytorch",
                    "constructor_kwargs": {"_target_": "os.system", "G_nl": "os.system"},
                }
            },
            {"G_ema": {"format": "mmagic_biggan", "settings": {"_scope_": "payload", "type": "os.system"}}},
        )
    ):
        found[f"settings {number}"] = partial(read_settings, settings=settings)
    for name, content in {
        "dataset.json": json.dumps({"labels": [["../../secret/a.png", 0], ["/etc/passwd", 1]]}),
        "labels.csv": "file,class\n../../secret/a.png,x\n/etc/passwd,y\n",
        "labels.json": json.dumps({"/etc/passwd": "a", "a.png": {"type": "os.system"}}),
    }.items():
        found[f"labels {name}"] = partial(read_labels, name=name, content=content)
    return found


def attempt(read, folder):
    """Return how a reader ends: ``harmless``, a sentence, or None for a traceback, which is the second."""
    try:
        read(folder)
    except (ValueError, OSError, ImportError) as error:
        return "sentence", str(error)
    except BaseException:
        return None, traceback.format_exc()
    return "harmless", ""


def run(folder):
    """Return a report per case."""
    warnings.simplefilter("ignore")
    os.chdir(folder)
    flag = folder / "flag"
    (folder / "payload.py").write_text(f"open({str(flag)!r}, 'w')")
    (folder / "secret").mkdir()
    sys.path.insert(0, str(folder))
    import_everything()
    GENERATORS.build(dict(hostile.GENERATOR))
    attempt(partial(read_run, line="a = 1"), folder)  # what the first one imports and prepares
    attempt(partial(read_settings, settings={}), folder)
    attempt(partial(read_labels, name="labels.csv", content="file,class\na.png,x\n"), folder)
    hostile_sizes.prepare()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    guard = Guard(folder)
    report = []
    for name, read in cases().items():
        guard.violations.clear()
        guard.active = True
        ended, text = attempt(read, folder)
        guard.active = False
        violations = [list(found) for found in guard.violations]
        report.append(
            dict(case=name[:80], ended=ended, text=text[-1500:], ran=flag.exists(), violations=violations)
        )
        flag.unlink(missing_ok=True)
    return report


if __name__ == "__main__":
    print("REPORT " + json.dumps(run(Path(sys.argv[1]))))
