"""Small files of each kind that data comes in, to be damaged, and what reads them; see ``fuzz_readers``."""

import io
import json
import math
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from mmcgan.array_files import read_array
from mmcgan.datasets.attributes.attribute_table import read_attribute_table
from mmcgan.datasets.packing.tar_index import index_of
from mmcgan.datasets.sets.labels_file import read_labels
from mmcgan.evaluation.statistics.reference import load_foreign_statistics
from mmcgan.instances.store import InstanceStore
from mmcgan.scalars import mean_and_deviation, read_scalars
from mmcgan.zoo.models import load_model
from tests.test_trust import hostile
from tests.test_trust.hostile_sizes import ARRAYS, SAID

FILES = tuple(f"{name}.png" for name in "abcdef")
LOG = b"".join(b'{"fid": %d.5, "step": %d}\n' % (step, step) for step in range(10, 40, 10))
BLOCK = 512  # bytes of a header in a tar file
#: places in such a header
SIZE, CHECKSUM = slice(124, 136), slice(148, 156)


def statistics(compressed):
    """Return the bytes of reference statistics of four features."""
    stream = io.BytesIO()
    arrays = dict(mu=np.zeros(4), sigma=np.eye(4))
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def rows():
    """Return the bytes of an array."""
    stream = io.BytesIO()
    np.save(stream, np.arange(6.0))
    return stream.getvalue()


def shard(form):
    """Return the bytes of a tar shard with three images and their classes."""
    stream = io.BytesIO()
    extra = {"comment": "x", "hdrcharset": "BINARY"} if form == tarfile.PAX_FORMAT else {}
    with tarfile.open(fileobj=stream, mode="w", format=form) as file:
        for number in range(3):
            for name, content in ((f"{number}.png", b"png"), (f"{number}.cls", b"%d" % number)):
                entry = tarfile.TarInfo(name)
                entry.size, entry.pax_headers = len(content), extra
                file.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def with_checksums(content, draw):
    """Return a damaged tar file whose headers' checksums are right, some with a size beyond all."""
    content = bytearray(content)
    for start in range(0, len(content) - BLOCK + 1, BLOCK):
        header = content[start : start + BLOCK]
        if not any(header):
            continue
        if draw.random() < 0.2:
            header[SIZE] = bytes([draw.choice((0x80, 0xFF))]) + draw.randbytes(11)
        header[CHECKSUM] = b" " * 8
        header[CHECKSUM] = b"%06o\0 " % sum(header)
        content[start : start + BLOCK] = header
    return bytes(content)


def table(separator):
    """Return an attribute table with quotes."""
    rows = [f'{name}{separator}"{colour}"{separator}1' for name, colour in zip(FILES, "rgbrgb", strict=True)]
    return "\n".join([separator.join(("file", "colour", "round")), *rows, ""]).encode()


def labels():
    """Return labels in CSV."""
    return "\n".join(["file,class", *(f'{name},"{name[0]}"' for name in FILES), ""]).encode()


def read_labels_at(path):
    """Read a file of labels that stands beside images of these names."""
    return read_labels(path, [str(path.parent / name) for name in FILES])


def read_store(path):
    """Read every table of the store that a file belongs to."""
    store, rows = InstanceStore(path.parent), torch.arange(6)
    found = [store.features(rows), store.neighbours(rows), store.radius(), store.selected(), store.labels]
    near, (order, starts) = store.neighbours(rows), store.class_rows()
    assert int(near.min()) >= 0 and int(near.max()) < store.size, "neighbours that are no images"
    assert bool(found[0].isfinite().all()), "features that are no numbers"
    assert starts.tolist() == sorted(starts.tolist()) and int(order.max()) < store.size
    return found


def read_record(path):
    """Sample from exported weights."""
    loaded = load_model(path)
    condition = loaded.condition_sampler.sample(2, torch.Generator())
    loaded.model.sample(condition, generator=torch.Generator())
    record = loaded.record
    names = record.classes or range(loaded.model.generator.num_classes)
    assert 0 <= record.iteration < 1 << 60 and 0 <= record.images_seen < 1 << 60
    assert all(math.isfinite(value) for value in record.metrics.values()), record.metrics
    assert len(names) == loaded.model.generator.num_classes, "another number of names than of classes"
    return [f"{key} {value:.4g}" for key, value in record.metrics.items()], f"{record.iteration:,}"


def read_log(path):
    """Read the logged figures that a file has and summarize them."""
    series = read_scalars(path.parents[2])
    return {name: mean_and_deviation(values.values()) for name, values in series.items()}


def make(folder):
    """Write a file of each kind in ``folder``; return reader and path by kind."""
    record = hostile.record(classes=["a", "b", "c"], metrics={"fid": 1.5}, iteration=70, images_seen=900)
    (folder / "store").mkdir()
    files = {f"{name}.npy": array for name, array in ARRAYS.items()}
    for name, array in files.items():
        np.save(folder / "store" / name, array)
    sizes = {name: dict(bytes=(folder / "store" / name).stat().st_size) for name in files}
    (folder / "store" / "metadata.json").write_text(json.dumps({**SAID, "files": sizes}))
    contents = {
        "packed statistics": (read_statistics, "packed.npz", statistics(True)),
        "statistics": (read_statistics, "plain.npz", statistics(False)),
        "rows": (lambda path: torch.from_numpy(read_array(path)), "rows.npy", rows()),
        "table": (read_attribute_table, "table.csv", table(",")),
        "table with tabs": (read_attribute_table, "table.tsv", table("\t")),
        "labels": (read_labels_at, "labels.csv", labels()),
        "log": (read_log, "run/1/vis_data/scalars.json", LOG),
        **{f"shard {form}": (index_of, f"{form}.tar", shard(form)) for form in range(3)},
    }
    found = {"record": (read_record, hostile.write_exported(folder / "weights.safetensors", record))}
    found |= {f"store {name}": (read_store, folder / "store" / name) for name in [*files, "metadata.json"]}
    for kind, (read, name, content) in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        found[kind] = read, folder / name
    return found


def read_statistics(path):
    """Read reference statistics of four features."""
    return load_foreign_statistics(path, 4)


def fuzz(kind, read, path, count, draw, mutated):
    """Read so many damaged copies of a file; return what happened, by outcome.

    Args:
        kind: of :func:`make`.
        read: what reads it.
        path: the file, which is as it was afterwards.
        count: how many.
        draw: a :class:`random.Random`.
        mutated: content, draw -> damaged content.
    """
    good, found = path.read_bytes(), Counter()
    read(path)
    try:
        for _ in range(count):
            damaged = bytearray(good)
            damaged[draw.randrange(len(good))] ^= 1 << draw.randrange(8)
            damaged = bytes(damaged) if draw.random() < 0.5 else mutated(good, draw)
            if kind.startswith("shard") and draw.random() < 0.7:
                damaged = with_checksums(damaged, draw)
            path.write_bytes(damaged)
            try:
                read(path)
                found["read"] += 1
            except (ValueError, OSError) as error:
                is_named = path.name in str(error) or path.parent.name in str(error)
                found["refused" if is_named else f"FAULT: no file in {error!r}"[:200]] += 1
            except Exception as error:  # this is what is looked for
                found[f"FAULT: {type(error).__name__}: {error}"[:200]] += 1
    finally:
        path.write_bytes(good)
    return found


def fuzz_data(count, draw, folder, mutated):
    """Read so many damaged copies of a file of each kind; return what happened, by kind and outcome."""
    made = make(Path(folder))
    return {kind: fuzz(kind, read, path, count, draw, mutated) for kind, (read, path) in made.items()}
