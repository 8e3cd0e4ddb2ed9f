"""Folders whose labels stand in StyleGAN2-ADA's ``dataset.json``."""

import json

import numpy as np
import pytest
from PIL import Image

from mmcgan.cli import main
from mmcgan.datasets import AttributeFolder, ImageFolder


@pytest.fixture
def root(tmp_path):
    """Return six images in two folders that are no classes; the brightness is 40 times the label."""
    labels = {"00000/img0.png": 2, "00000/img1.png": 0, "00000/img2.png": 1}
    labels |= {"00001/img3.png": 0, "00001/img4.png": 2, "00001/img5.png": 1}
    for name, label in labels.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 40 * label, np.uint8)).save(path)
    write(tmp_path, [list(pair) for pair in labels.items()])
    return tmp_path


def write(root, entries):
    (root / "dataset.json").write_text(json.dumps({"labels": entries}))


def listed(root):
    return json.loads((root / "dataset.json").read_text())["labels"]


def one_hot(label, length=3, kind=int):
    return [kind(place == label) for place in range(length)]


def test_labels_are_those_of_the_file(root):
    data = ImageFolder(str(root), 8)
    assert data.metainfo["classes"] == ("0", "1", "2")
    assert data.metainfo["class_counts"] == (2, 2, 2)
    assert ImageFolder.facts(str(root), 8)["class_counts"] == (2, 2, 2)
    for row in range(6):
        item = data[row]
        assert int(item["image"][0, 0, 0]) == 40 * int(item["label"])


@pytest.mark.parametrize("kind", [int, float])
def test_one_hot_labels_are_classes(root, kind):
    plain = ImageFolder(str(root), 8)
    write(root, [[name, one_hot(label, kind=kind)] for name, label in listed(root)])
    data = ImageFolder(str(root), 8)
    assert data.labels.tolist() == plain.labels.tolist() and data.classes == plain.classes
    assert [data.path_of(row) for row in range(6)] == [plain.path_of(row) for row in range(6)]


def test_lists_of_several_ones_are_attributes(root):
    write(root, [[name, [1, int(label > 0), int(label > 1)]] for name, label in listed(root)])
    data = AttributeFolder(str(root), str(root / "dataset.json"), 8)
    assert [group.names for group in data.groups] == [("0", "1", "2")]
    for row in range(6):
        item = data[row]
        assert int(item["attributes"].sum()) - 1 == int(item["image"][0, 0, 0]) // 40


@pytest.mark.parametrize("label", [3, [0, 2], [], [1], None])
def test_labels_that_are_no_attributes_are_named(root, label):
    write(root, [*[[name, [0, 1]] for name, _ in listed(root)], ["x.png", label]])
    with pytest.raises(ValueError, match=r"dataset\.json: label 6 (must be|has 1 values)"):
        AttributeFolder(str(root), str(root / "dataset.json"), 8)


def test_a_table_by_file_loses_no_row(root):
    (root / "table.json").write_text('{"00000/img0.png": {"hat": 1}, "00000/img1.png": "hat"}')
    with pytest.raises(ValueError, match=r"'00000/img1\.png' must have an object of its attributes"):
        AttributeFolder(str(root), str(root / "table.json"), 8)


def test_without_labels_the_file_is_not_looked_at(root):
    (root / "dataset.json").write_text("{}")
    assert ImageFolder(str(root), 8, labelled=False).metainfo["num_classes"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e[:-1], r"1 images are without a label in it: 00001/img5.png"),
        (lambda e: [*e, ["gone.png", 1]], r"1 images are labelled in it and not there: gone.png"),
        (lambda e: [[n, 3 * k] for n, k in e], r"labels reach to 6, but 4 of them have no image: 1, 2, 4"),
        (lambda e: [[n, 0] for n, _ in e], "every image has the label 0"),
        (lambda e: [*e, [e[0][0], 0]], "00000/img0.png has the labels 2 and 0"),
        (
            lambda e: [[n, one_hot(k, 4)] for n, k in e],
            "one-hot labels have 4 places, but 1 of them have no im.*: 3",
        ),
        (lambda e: [[n, one_hot(k)] for n, k in e[:-1]] + [[e[-1][0], 1]], "00001/img5.png the number 1"),
        (lambda e: [[n, one_hot(k, 3 + (k == 1))] for n, k in e], "img2.png a list of 4; give all images"),
        (lambda e: [[n, [0.3, k]] for n, k in e], "img0.png, 0.3, 2.0, is a vector of numbers"),
        (lambda e: [[n, [1, 1, 1]] for n, k in e], "on in 3 of 3 places: .*AttributeFolder"),
        (lambda e: [[n, [0, 0]] for n, _ in e], "on in 0 of 2 places"),
        (lambda e: [[n, ["1", 0]] for n, _ in e], "or a one-hot list, got"),
        (lambda e: [[n, []] for n, _ in e], "or a one-hot list, got"),
        (lambda e: [[n, [True, False]] for n, _ in e], "or a one-hot list, got"),
        (lambda e: [[n, 0.5] for n, _ in e], "or a one-hot list, got"),
        (lambda e: [[n, float("inf")] for n, _ in e], "or a one-hot list, got"),
        (lambda e: [[n, [float("nan"), 1]] for n, _ in e], "or a one-hot list, got"),
        (lambda e: [[n, -1] for n, _ in e], "from 0 on, or a one-hot list, got"),
        (lambda e: [[n, True] for n, _ in e], "from 0 on, or a one-hot list, got"),
        (lambda e: None, "has no list of labels"),
    ],
)
def test_what_does_not_fit_is_named(root, change, message):
    write(root, change(listed(root)))
    with pytest.raises(ValueError, match=message):
        ImageFolder(str(root), 8)


def test_a_torn_file_is_named(root):
    (root / "dataset.json").write_text('{"labels": [')
    with pytest.raises(ValueError, match=r"dataset\.json: not a list of labels: no JSON"):
        ImageFolder(str(root), 8)


def test_packing_keeps_the_labels(root, tmp_path, capsys):
    assert main(["pack-dataset", str(root), str(tmp_path / "packed"), "--image-size", "8"]) == 0
    from mmcgan.datasets import PackedDataset

    assert PackedDataset(str(tmp_path / "packed")).labels.tolist() == [0, 0, 1, 1, 2, 2]
