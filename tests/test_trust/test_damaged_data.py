"""Damaged files of every kind of data: something that can be, or a sentence with the file's name."""

import csv
import io
import random

import numpy as np
import pytest

from mmcgan.array_files import ArrayFileError, map_array, read_array, read_arrays
from mmcgan.datasets.attributes.attribute_table import read_attribute_table
from mmcgan.datasets.packing.tar_index import index_of
from mmcgan.datasets.sets.labels_file import read_labels
from mmcgan.text_files import csv_rows
from mmcgan.zoo.models import load_model
from tests.campaigns.damaged_data import BLOCK, CHECKSUM, SIZE, fuzz, make, shard
from tests.campaigns.fuzz_readers import mutated
from tests.test_trust import hostile

TRIES = 100
KINDS = (
    "record", "packed statistics", "statistics", "rows", "table", "table with tabs", "labels", "log",
    "shard 0", "shard 1", "shard 2",
    *(f"store {name}.npy" for name in ("features", "neighbours", "radius", "selected", "labels")),
    *("store class_order.npy", "store class_starts.npy", "store metadata.json"),
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("files"))


def test_every_kind_is_damaged(made):
    assert set(made) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_data_is_read_or_refused_by_name(kind, made):
    found = fuzz(kind, *made[kind], TRIES, random.Random(0), mutated)
    assert set(found) <= {"read", "refused"}, found
    assert found["refused"] > TRIES // 5


def resized(form, size):
    """Return a tar file whose first header says another size, its checksum right."""
    content = bytearray(shard(form))
    content[SIZE] = size.to_bytes(12, "big", signed=True)
    content[SIZE.start] |= 0x80  # in binary
    content[CHECKSUM] = b" " * 8
    content[CHECKSUM] = b"%06o\0 " % sum(content[:BLOCK])
    return bytes(content)


@pytest.mark.parametrize("size", [1 << 20, 1 << 40, (1 << 63) - 1, 1 << 63, 1 << 80, -1, -512, -(1 << 80)])
@pytest.mark.parametrize("form", range(3))
def test_a_tar_header_that_says_any_size_is_refused(form, size, tmp_path):
    (tmp_path / "a.tar").write_bytes(resized(form, size))
    with pytest.raises(ValueError, match=r"a\.tar: (torn|not a tar file)"):
        index_of(tmp_path / "a.tar")


@pytest.mark.parametrize("text", ['a,b\nx,"y', 'a,b\nx,"y\n' + "z,1\n" * 40_000, 'a,b\nx,"y"z\n'])
@pytest.mark.parametrize("read", [read_attribute_table, lambda path: read_labels(path, [])])
def test_stray_quotes_are_named_with_their_line(text, read, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(text.replace("a,b", "file,class"))
    with pytest.raises(ValueError, match=r"labels\.csv: line \d+: no CSV"):
        read(path)


def test_rows_are_those_of_the_library():
    text = 'a,"b\nc",d\n\n"x ""y""",\u2028,z\n'
    found = list(csv_rows(text, "table.csv"))
    assert [row for _, row in found] == list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert found[2][1] == ['x "y"', "\u2028", "z"]
    assert [line for line, _ in found] == [2, 3, 4]


@pytest.mark.parametrize("kind", [">f4", ">f8", "<f2", ">i8", "<u4"])
def test_arrays_of_other_machines_are_read(kind, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(4).astype(kind))
    np.savez(tmp_path / "a.npz", mu=np.arange(4).astype(kind))
    for found in (read_array(tmp_path / "a.npy"), read_arrays(tmp_path / "a.npz", ["mu"])[0]):
        assert found.tolist() == [0, 1, 2, 3] and found.dtype.isnative


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="this machine has no wider numbers")
def test_numbers_that_torch_has_not_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2, np.longdouble))
    with pytest.raises(ArrayFileError, match=r"a\.npy: its elements are"):
        map_array(tmp_path / "a.npy", "f")


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "b", "c", "d"], list("abcdefgh")])
def test_a_record_names_as_many_classes_as_its_generator_has(names, tmp_path):
    path = hostile.write_exported(tmp_path / "a.safetensors", hostile.record(classes=names))
    with pytest.raises(ValueError, match=rf"a\.safetensors: class names: {len(names)}, .* generator: 3"):
        load_model(path)


@pytest.mark.parametrize("names", [None, [], ["a", "b", "c"]])
def test_a_record_may_name_no_classes(names, tmp_path):
    path = hostile.write_exported(tmp_path / "a.safetensors", hostile.record(classes=names))
    assert load_model(path).record.classes == (tuple(names) if names else None)
