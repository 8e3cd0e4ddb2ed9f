"""Folders whose labels stand in StyleGAN2-ADA's ``dataset.json``."""

import json

import numpy as np
import pytest
from PIL import Image

from mmcgan.cli import main
from mmcgan.datasets import ImageFolder


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


def test_labels_are_those_of_the_file(root):
    data = ImageFolder(str(root), 8)
    assert data.metainfo["classes"] == ("0", "1", "2")
    assert data.metainfo["class_counts"] == (2, 2, 2)
    assert ImageFolder.facts(str(root), 8)["class_counts"] == (2, 2, 2)
    for row in range(6):
        item = data[row]
        assert int(item["image"][0, 0, 0]) == 40 * int(item["label"])


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
        (lambda e: [[n, [0, 1]] for n, _ in e], "expected .name, label. with a whole number"),
        (lambda e: [[n, -1] for n, _ in e], "from 0 on, got"),
        (lambda e: [[n, True] for n, _ in e], "from 0 on, got"),
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
