"""One label of any size takes no memory, whichever reader of labels meets it."""

import io
import json
import tarfile
import tracemalloc

import pytest
from PIL import Image

from mmcgan.class_names import MOST_CLASSES, absent_classes
from mmcgan.datasets import ImageFolder, ImageNetLT, ShardDataset
from mmcgan.datasets.attributes.attribute_table import read_attribute_table
from mmcgan.datasets.sets.label_column import labels_of

LARGE = [MOST_CLASSES, 3_000_000, 999_999_999, 10**12, 10**5000]
#: bytes; three million names of classes take 200 MB
SMALL = 30 << 20


def picture():
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG")
    return stream.getvalue()


def shards(folder, labels):
    with tarfile.open(folder / "a.tar", "w") as file:
        for number, label in enumerate(labels):
            for name, content in ((f"{number}.png", picture()), (f"{number}.cls", label.encode())):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                file.addfile(entry, io.BytesIO(content))
    return ShardDataset(str(folder), 8)


def images(folder, count):
    names = [f"{number}.png" for number in range(count)]
    for name in names:
        (folder / name).write_bytes(picture())
    return names


def long_tail(folder, labels):
    lines = [f"{name} {label}\n" for name, label in zip(images(folder, len(labels)), labels, strict=True)]
    (folder / "ImageNet_LT_train.txt").write_text("".join(lines))
    return ImageNetLT(str(folder), str(folder), image_size=8)


def stylegan(folder, labels):
    pairs = ", ".join(
        f'["{name}", {label}]' for name, label in zip(images(folder, len(labels)), labels, strict=True)
    )
    (folder / "dataset.json").write_text(f'{{"labels": [{pairs}]}}')
    return ImageFolder(str(folder), 8)


def listed(folder, labels):
    pairs = ", ".join(
        f'"{name}": {label}' for name, label in zip(images(folder, len(labels)), labels, strict=True)
    )
    (folder / "labels.json").write_text(f"{{{pairs}}}")
    return ImageFolder(str(folder), 8)


def column(folder, labels):
    return labels_of([int(label) for label in labels], None, f"{folder.name}.label")


READERS = dict(shards=shards, long_tail=long_tail, stylegan=stylegan, listed=listed, column=column)


def text_of(number):
    """Return the digits of a number, of which Python writes some thousands only."""
    return "1" + "0" * 5000 if number == 10**5000 else str(number)


# a column of a table has 64 bits
CASES = [(reader, label) for reader in READERS for label in LARGE if (reader, label) != ("column", LARGE[-1])]


@pytest.mark.parametrize(
    ("reader", "label"), CASES, ids=[f"{reader} {len(text_of(x))}" for reader, x in CASES]
)
def test_a_label_beyond_all_is_refused_and_takes_no_memory(reader, label, tmp_path, monkeypatch):
    # the room that a list of labels is read into, most of which is never touched
    monkeypatch.setattr("mmcgan.datasets.sets.labels_file.LARGEST", 1 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=tmp_path.name):
            READERS[reader](tmp_path, ["0", text_of(label)])
        assert tracemalloc.get_traced_memory()[1] < SMALL
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("reader", READERS)
def test_classes_that_there_are_are_read(reader, tmp_path):
    READERS[reader](tmp_path, ["0", "1", "0"])


def test_as_many_as_any_set_has_are_allowed():
    assert absent_classes([0, 3], "a") == [1, 2] and absent_classes([], "a") == []
    assert absent_classes([0], "a", 3) == [1, 2]
    assert len(absent_classes([MOST_CLASSES - 1], "a")) == MOST_CLASSES - 1
    for numbers, count in (([MOST_CLASSES], None), ([0], MOST_CLASSES + 1), ([10**400], None)):
        with pytest.raises(ValueError, match=f"a: has classes up to .*0 to {MOST_CLASSES - 1} are allowed"):
            absent_classes(numbers, "a", count)


@pytest.mark.parametrize("odd", ["²", "①", "1" + "0" * 5000])
def test_what_only_looks_like_a_number_is_a_text(odd, tmp_path):
    (tmp_path / "table.json").write_text(
        json.dumps(
            [dict(file="a.png", colour=odd), dict(file="b.png", colour="5"), dict(file="c.png", colour="6")]
        )
    )
    (group,) = read_attribute_table(tmp_path / "table.json").groups
    assert sorted(group.names) == sorted(["5", "6", odd])
    with pytest.raises(ValueError, match=r"ImageNet_LT_train\.txt, line 1: expected a path and a label"):
        long_tail(tmp_path, [odd])
