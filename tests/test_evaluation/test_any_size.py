"""Folders of images of many sizes, without a crop: each passes the extractor by itself, as elsewhere."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.apis.folders import evaluate_folders
from mmcgan.cli import main
from mmcgan.datasets import BadImageError
from mmcgan.evaluation.any_size import batches_of
from mmcgan.evaluation.image_source import open_images
from mmcgan.evaluation.statistics.frechet import frechet_distance
from mmcgan.extractors import SmallClassifier

SIZES = [(16, 16), (24, 16), (16, 30), (40, 40)]


def folder(root, seed, count=24):
    rng = np.random.default_rng(seed)
    for index in range(count):
        width, height = SIZES[int(rng.integers(len(SIZES)))]
        path = root / ("dark" if index % 2 else "light") / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(100 * (index % 2), 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return root


@pytest.fixture
def sides(tmp_path):
    return folder(tmp_path / "real", 0), folder(tmp_path / "fake", 1)


def one_by_one(root, extractor):
    """Return mean and covariance of the features of every file, read and passed by itself."""
    features = []
    for path in sorted(root.rglob("*.png")):
        pixels = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None]
        features.append(extractor(pixels).features.double())
    rows = torch.cat(features)
    return rows.mean(0), torch.cov(rows.T)


def test_the_figure_is_that_of_images_one_by_one(sides):
    extractor = SmallClassifier("digits-16")
    first, second = (one_by_one(side, extractor) for side in sides)
    report = evaluate_folders(*sides, dict(type="SmallClassifier", weights="digits-16"), any_size=True)
    assert report["figures"]["fid"] == pytest.approx(frechet_distance(*first, *second), rel=1e-6)
    assert report["images"]["real"]["read"] == 24


def test_labels_stay_with_their_images(sides):
    data = open_images(sides[0], labelled=True, any_size=True).dataset
    batches = batches_of(data, range(len(data)), 5)
    assert sorted(row for batch in batches for row in batch) == list(range(24))
    for batch in batches:
        found = data.__getitems__(batch)
        names = [data.path_of(row) for row in batch]
        assert [("light", "dark")["/dark/" in name] for name in names] == [
            data.classes[label] for label in found["label"].tolist()
        ]
        assert len({data.sizes[row] for row in batch}) == 1


def test_mixed_sizes_are_refused_without_it(sides):
    with pytest.raises(BadImageError, match="all must be squares of one size"):
        open_images(sides[0])
    with pytest.raises(ValueError, match="image_size=16 with any_size"):
        open_images(sides[0], image_size=16, any_size=True)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_bad_image_stops_or_is_listed(sides, on_error, capsys):
    (sides[0] / "dark" / "01.png").write_bytes(b"torn")
    command = ["evaluate-folders", *map(str, sides), "--extractor", "digits-16", "--any-size"]
    status = main([*command, "--on-error", on_error])
    shown = capsys.readouterr()
    if on_error == "stop":
        assert status == 2
        assert "01.png: unreadable image" in shown.err
    else:
        assert status == 0
        assert "images (real): 24 found, 23 read, 1 left out" in shown.out
