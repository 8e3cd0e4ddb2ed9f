"""Which images are scenes, and which evaluation images have a known set of categories."""

import json

import pytest
import torch
from PIL import Image

from mmcgan.cli import main
from mmcgan.datasets.sets.coco_stuff import find_scenes, split_scenes
from mmcgan.registry import DATASETS

CATEGORIES = [
    dict(id=1, name="cat"),
    dict(id=2, name="dog"),
    dict(id=3, name="bus"),
    dict(id=90, name="sky"),
    dict(id=99, name="other"),
]


def annotations(objects, kind):
    """Return an annotation file: ``objects`` is image -> [(category, share of the image)]."""
    things = [c for c in CATEGORIES if (c["id"] < 90) == (kind == "things")]
    return dict(
        images=[dict(id=i, file_name=f"{i:03d}.jpg", width=100, height=50) for i in objects],
        categories=things,
        annotations=[
            dict(image_id=i, category_id=c, bbox=[0, 0, 100, 50 * share], iscrowd=0)
            for i, found in objects.items()
            for c, share in found
            if c in {entry["id"] for entry in things}
        ],
    )


def pair(objects):
    return annotations(objects, "things"), annotations(objects, "stuff")


def scene(*categories, share=0.1):
    return [(category, share) for category in (*categories, 90)]


def names(objects):
    return find_scenes(*pair(objects)).names


def test_three_to_eight_objects():
    objects = {count: scene(*[1] * (count - 1)) for count in (2, 3, 8, 9)}
    assert names(objects) == ["003.jpg", "008.jpg"]


def test_small_objects_crowds_and_other_do_not_count():
    small = {1: [*scene(1, 2)], 2: [*scene(1), (2, 0.02)], 3: [*scene(1), (99, 0.5)]}
    assert names(small) == ["001.jpg"]
    things, stuff = pair({1: scene(1, 2)})
    things["annotations"][0]["iscrowd"] = 1
    assert find_scenes(things, stuff).names == []


def test_an_image_without_stuff_is_left_out():
    assert names({1: [(1, 0.1), (2, 0.1), (3, 0.1)], 2: scene(1, 2)}) == ["002.jpg"]


def test_seen_means_the_same_set_of_categories():
    train = find_scenes(*pair({1: scene(1, 2), 2: scene(3, 3)}))
    val = find_scenes(*pair({5: scene(1, 2), 6: scene(2, 1, 1), 7: scene(1, 3), 8: scene(3, 3)}))
    found = split_scenes(train, val, tuning=1)
    assert found["eval"] == ["006.jpg", "007.jpg", "008.jpg"]
    assert found["eval-seen"] == ["006.jpg", "008.jpg"]
    assert found["eval-unseen"] == ["007.jpg"]
    assert found["train"] == ["001.jpg", "002.jpg"]


@pytest.fixture
def folder(tmp_path):
    for split, objects in {
        "train": {1: scene(1, 2)},
        "val": {i: scene(1, 2) if i % 2 else scene(1, 3) for i in range(1, 6)},
    }.items():
        for name, content in zip(("instances", "stuff"), pair(objects), strict=True):
            (tmp_path / f"{name}_{split}2017.json").write_text(json.dumps(content))
    return tmp_path


def test_the_command_writes_lists_that_a_data_set_reads(folder, capsys):
    out = folder / "splits"
    arguments = ["coco-stuff-split", "--annotations", str(folder), "--out", str(out), "--tuning", "2"]
    assert main(arguments) == 0
    assert (out / "eval-seen.txt").read_text() == "val2017/003.jpg\nval2017/005.jpg\n"
    assert (out / "eval-unseen.txt").read_text() == "val2017/004.jpg\n"
    assert "train.txt: 1 images (published: 76k)" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "exists; choose another --out" in capsys.readouterr().err
    (folder / "train2017").mkdir()
    Image.new("RGB", (20, 10), (255, 0, 0)).save(folder / "train2017" / "001.jpg")
    images = DATASETS.build(
        dict(
            type="ImageList",
            root=str(folder),
            names=str(out / "train.txt"),
            image_size=8,
            fit="stretch",
        )
    )
    assert images.metainfo["num_classes"] == 0
    assert tuple(images[0]["image"].shape) == (3, 8, 8)
    assert set(images[0]) == {"image"}


def test_stretching_keeps_the_borders(tmp_path):
    picture = Image.new("RGB", (40, 10))
    picture.paste((255, 255, 255), (0, 0, 10, 10))
    picture.save(tmp_path / "a.png")
    (tmp_path / "list.txt").write_text("a.png\n")
    config = dict(type="ImageList", root=str(tmp_path), names=str(tmp_path / "list.txt"), image_size=8)
    stretched, cut = (
        DATASETS.build({**config, "fit": fit})[0]["image"] for fit in ("stretch", "crop_long_side")
    )
    assert int(stretched[0, 0, 0]) == 255
    assert int(torch.max(cut)) == 0


def test_missing_and_damaged_files_are_named(folder, capsys):
    arguments = ["coco-stuff-split", "--annotations", str(folder), "--out", str(folder / "splits")]
    (folder / "stuff_val2017.json").write_text("{}")
    assert main(arguments) == 2
    assert "stuff_val2017.json: not an annotation file of COCO; images" in capsys.readouterr().err
    (folder / "stuff_val2017.json").unlink()
    assert main(arguments) == 2
    assert "stuff_annotations_trainval2017.zip" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match=r"names=.*nothing"):
        DATASETS.build(dict(type="ImageList", root=str(folder), names=str(folder / "nothing"), image_size=8))
