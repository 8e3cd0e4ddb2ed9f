"""Images with label maps: Cityscapes' folders, resizing and cropping, ids, evaluation conditions."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.datasets import Cityscapes, Draw, LabelMapConditions, LabelMapFiles, SyntheticLabelMaps
from mmcgan.datasets.decode import BadImageError
from mmcgan.datasets.label_maps.base import MapFiles
from mmcgan.datasets.label_maps.map_transform import MapTransform

HEIGHT, WIDTH = 32, 64


def write_image(folder, city, name, labels, instances, split="train"):
    """Write an image with its annotations as Cityscapes has them."""
    generator = np.random.default_rng(0)
    parts = {
        f"leftImg8bit/{split}/{city}/{name}_leftImg8bit.png": generator.integers(
            256, size=(*labels.shape, 3), dtype=np.uint8
        ),
        f"gtFine/{split}/{city}/{name}_gtFine_labelIds.png": labels.astype(np.uint8),
        f"gtFine/{split}/{city}/{name}_gtFine_instanceIds.png": instances.astype(np.uint16),
    }
    for path, array in parts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(folder / path)


@pytest.fixture
def root(tmp_path):
    for number, city in enumerate(("aachen", "bochum")):
        labels = np.full((HEIGHT, WIDTH), 7)
        labels[:, WIDTH // 2 :] = 23 + number
        instances = labels.copy()
        instances[8:16, 8:16] = 26001
        write_image(tmp_path, city, f"{city}_000000_000019", labels, instances)
    return tmp_path


def test_an_item_has_image_classes_and_borders_of_instances(root):
    dataset = Cityscapes(str(root), image_size=(16, 32))
    item = dataset[1]
    assert item["image"].shape == (3, 16, 32) and item["image"].dtype == torch.uint8
    assert item["label_map"].dtype == torch.int64
    assert item["label_map"].unique().tolist() == [7, 24]
    expected = torch.zeros(16, 32, dtype=torch.uint8)
    expected[:, 15:17] = 1
    expected[3:9, 3:9] = 1
    expected[5:7, 5:7] = 0
    expected[3, [3, 8]] = expected[8, [3, 8]] = 0
    assert torch.equal(item["edge_map"], expected)
    batch = dataset.__getitems__([1, 0])
    assert torch.equal(batch["label_map"][0], item["label_map"])


def test_facts_are_known_without_files_and_agree_with_the_set(root):
    facts = Cityscapes.facts(root="nowhere", image_size=[16, 32], dont_care=True)
    assert facts == dict(num_classes=0, image_size=(16, 32), num_map_classes=36, has_edges=True)
    metainfo = Cityscapes(str(root), image_size=(16, 32), dont_care=True).metainfo
    assert {name: metainfo[name] for name in facts} == facts
    assert [metainfo["map_classes"][i] for i in metainfo["evaluated_ids"][:3]] == [
        "road",
        "sidewalk",
        "building",
    ]
    assert metainfo["map_classes"][-1] == "don't care" and metainfo["size"] == 2


def test_pixels_of_no_class_are_a_class_or_an_error_that_names_the_file(root):
    labels = np.full((HEIGHT, WIDTH), 7)
    labels[0, 0] = 255
    write_image(root, "zurich", "zurich_000000_000019", labels, labels)
    size = (HEIGHT, WIDTH)
    message = r"zurich_000000_000019_gtFine_labelIds.png: label map has class ids \[255\]; allowed are 0..34"
    with pytest.raises(BadImageError, match=message):
        Cityscapes(str(root), image_size=size)[2]
    label_map = Cityscapes(str(root), image_size=size, dont_care=True)[2]["label_map"]
    assert label_map[0, 0] == 35 and (label_map.flatten()[1:] == 7).all()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("leftImg8bit/train", "no folder .*leftImg8bit/train; unpack leftImg8bit_trainvaltest.zip"),
        ("leftImg8bit/train/aachen", "has no annotation .*aachen_000000_000019_gtFine_labelIds.png"),
    ],
)
def test_absent_files_are_named(root, path, message):
    source = root / path
    if path.endswith("train"):
        source.rename(root / "elsewhere")
    else:
        (root / "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png").unlink()
    with pytest.raises(FileNotFoundError, match=message):
        Cityscapes(str(root))


def test_other_splits_and_coloured_maps_are_refused(root):
    with pytest.raises(ValueError, match="split must be one of train, val; got 'test'"):
        Cityscapes(str(root), split="test")
    path = root / "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png"
    Image.new("RGB", (WIDTH, HEIGHT)).save(path)
    with pytest.raises(BadImageError, match="one channel, this image is of mode RGB"):
        Cityscapes(str(root))[0]
    Image.new("L", (WIDTH, 2)).save(path)
    with pytest.raises(BadImageError, match=re.escape(f"has {WIDTH} x 2 pixels, its image")):
        Cityscapes(str(root))[0]


# --- resizing and cropping ------------------------------------------------------------------------


def test_ids_are_taken_at_pixel_centres_never_mixed():
    ids = np.arange(6 * 9).reshape(6, 9)
    found = MapTransform((2, 3)).ids(ids)
    assert found.tolist() == [[10, 13, 16], [37, 40, 43]]


@pytest.mark.parametrize(
    ("mode", "load_size", "loaded"),
    [
        ("resize_and_crop", 40, (40, 40)),
        ("scale_width_and_crop", 60, (30, 60)),
        ("scale_shortside_and_crop", 20, (20, 40)),
        ("crop", None, (50, 100)),
    ],
)
def test_a_crop_takes_image_and_map_at_one_place(mode, load_size, loaded):
    transform = MapTransform((16, 20), mode, load_size)
    assert transform.loaded_size((50, 100)) == loaded
    ramp = np.arange(100, dtype=np.uint8)[None].repeat(50, 0)
    corners = {transform.draw((50, 100), 0, position) for position in range(200)}
    tops, lefts = zip(*corners, strict=True)
    assert min(tops) >= 0 and 0.9 * (loaded[0] - 16) < max(tops) <= loaded[0] - 16
    assert min(lefts) >= 0 and 0.9 * (loaded[1] - 20) < max(lefts) <= loaded[1] - 20
    corner = max(corners)
    ids, image = transform.ids(ramp, corner), transform.image(ramp[..., None].repeat(3, -1), corner)
    assert ids.shape == (16, 20) and image.shape == (16, 20, 3)
    assert np.abs(image[..., 0].astype(int) - ids).max() <= 100 / loaded[1] + 1


def test_crops_depend_on_seed_and_position_alone(tmp_path):
    image, labels = tmp_path / "image.png", tmp_path / "labels.png"
    Image.fromarray(np.random.default_rng(0).integers(256, size=(40, 40, 3), dtype=np.uint8)).save(image)
    Image.fromarray(np.arange(1600, dtype=np.uint8).reshape(40, 40) % 5).save(labels)
    transform = MapTransform(16, "resize_and_crop", 32)
    dataset = LabelMapFiles([MapFiles(image, labels)], list("abcde"), transform)

    def item(position):
        return dataset.__getitems__([Draw(0, position)])["image"]

    assert torch.equal(item(3), item(3))
    assert any(not torch.equal(item(3), item(position)) for position in range(4, 9))


def test_bad_sizes_and_modes_are_named():
    with pytest.raises(ValueError, match=r"mode must be one of fixed, .*; got 'zoom'"):
        MapTransform(16, "zoom")
    with pytest.raises(ValueError, match="load_size must be at least 32, got 16"):
        MapTransform(32, "resize_and_crop", 16)


# --- evaluation -----------------------------------------------------------------------------------


def test_an_evaluation_asks_for_the_maps_of_a_set_in_order():
    source = dict(type="SyntheticLabelMaps", num_map_classes=3, image_size=8, size=5, has_edges=True)
    asked = LabelMapConditions(source, size=7, latent_dim=4, seed=1)
    maps = SyntheticLabelMaps(3, 8, 5, True).__getitems__(range(5))
    batch = asked.__getitems__(range(7))
    assert torch.equal(batch["label_map"][:5], maps["label_map"])
    assert torch.equal(batch["label_map"][5:], maps["label_map"][:2])
    assert torch.equal(batch["edge_map"][:5], maps["edge_map"])
    assert batch["latent"].shape == (7, 4) and not torch.equal(batch["latent"][0], batch["latent"][5])
    assert torch.equal(asked[6]["latent"], batch["latent"][6])
    assert LabelMapConditions(source)[2]["latent"].shape == (0,)
    assert len(LabelMapConditions(source)) == 5 and asked.metainfo["num_map_classes"] == 3


def test_a_set_without_maps_has_nothing_to_ask_for():
    with pytest.raises(ValueError, match="SyntheticImages has no label maps"):
        LabelMapConditions(dict(type="SyntheticImages", num_classes=2, image_size=8))
