"""Files that lists, tables and links in a stranger's folder lead to: not those elsewhere on this disk."""

import copy
import os
import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan import closed_world
from mmcgan.closed_world import OPEN_TO_FILES
from mmcgan.contracts import declared
from mmcgan.origin import USER, Origin, RefusedConfigError, require_inside
from mmcgan.registry import DATASETS, SAMPLERS

PRIVATE = (200, 30, 40)
READERS = [
    pytest.param(registry, name, argument, id=f"{name}.{argument}")
    for registry in OPEN_TO_FILES
    for name in registry.names()
    if registry.get(name).__module__.startswith("mmcgan.")
    for argument in declared(registry.get(name), "disk_arguments") or ()
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A model's folder with the working directory in it, beside a private picture."""
    for folder in ("download", "home"):
        (tmp_path / folder).mkdir()
    picture(tmp_path / "home" / "private.png", PRIVATE)
    picture(tmp_path / "download" / "images" / "mine.png")
    picture(tmp_path / "download" / "images" / "other.png")
    monkeypatch.chdir(tmp_path / "download")
    return tmp_path / "download"


def picture(path, colour=(0, 0, 0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), colour).save(path)


def origin_of(place):
    return Origin.of_file(place / "model.safetensors")


# --- links ----------------------------------------------------------------------------------------
def linked_file(root, place):
    (root / "deep").mkdir(parents=True)
    (root / "deep" / "a.png").symlink_to("../../../home/private.png")


def linked_folder(root, place):
    root.mkdir()
    (root / "deep").symlink_to(place.parent / "home")


def linked_within(root, place):
    """A link to a folder beside, which is the model's, and in that one a link out."""
    root.mkdir()
    (place / "beside").mkdir()
    (root / "deep").symlink_to("../beside")
    (place / "beside" / "out").symlink_to(place.parent / "home" / "private.png")


def linked_in_a_ring(root, place):
    linked_file(root, place)
    (root / "again").symlink_to(".")


@pytest.mark.parametrize("links", [linked_file, linked_folder, linked_within, linked_in_a_ring])
@pytest.mark.parametrize(("registry", "name", "argument"), READERS)
def test_a_link_in_a_folder_leads_no_further_than_the_folder(registry, name, argument, links, place):
    links(place / "data", place)
    # its other folders are there: those of a default are refused
    config = {"type": name, **dict.fromkeys(declared(registry.get(name), "disk_arguments"), "images")}
    config[argument] = "data"
    with pytest.raises(RefusedConfigError, match=rf"{argument}='data' holds .*outside the model's folder"):
        closed_world.checked(config, origin_of(place), "part")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everybody may list it")
def test_a_folder_that_cannot_be_listed_is_not_entered(place):
    (place / "data" / "deep").mkdir(parents=True)
    (place / "data" / "deep").chmod(0o100)
    with pytest.raises(RefusedConfigError, match="cannot be listed"):
        closed_world.checked({"type": "ImageFolder", "root": "data"}, origin_of(place), "part")


def test_links_within_the_folder_are_followed(place):
    picture(place / "other" / "b.png", (1, 2, 3))
    (place / "images" / "b.png").symlink_to("../other/b.png")
    (place / "images" / "ring").symlink_to("..")
    config = dict(type="ImageFolder", root="images", image_size=32, labelled=False)
    images = closed_world.build(DATASETS, config, origin_of(place), "dataset")
    assert len(images) == 3


# --- names in texts -------------------------------------------------------------------------------
def image_list(place, line):
    (place / "list.txt").write_text(f"images/mine.png\n{line}\n")
    return dict(type="ImageList", root=".", names="list.txt", image_size=32)


def attribute_folder(place, line):
    (place / "table.csv").write_text(f"file,hair\nimages/mine.png,a\n{line},b\n")
    return dict(type="AttributeFolder", root=".", table="table.csv", image_size=32)


def long_tail(place, line):
    (place / "ImageNet_LT_train.txt").write_text(f"images/mine.png 0\n{line} 1\n")
    return dict(type="ImageNetLT", root=".", lists=".", image_size=32)


def tiny_imagenet(place, line):
    for number in range(200):
        picture(place / "tiny" / "train" / f"n{number}" / "images" / "a.png")
    above = line if os.path.isabs(line) else f"../../../{line}"
    (place / "tiny" / "val" / "images").mkdir(parents=True)
    (place / "tiny" / "val" / "val_annotations.txt").write_text(f"{above}\tn0\n")
    return dict(type="TinyImageNet", root="tiny", split="val", image_size=32)


def label_maps(place, line):
    """Cityscapes whose private picture is reached by a link."""
    root = place / "streets"
    for folder in ("leftImg8bit/val/c", "gtFine/val/c"):
        (root / folder).mkdir(parents=True)
    (root / "leftImg8bit/val/c/x_leftImg8bit.png").symlink_to(os.path.abspath(place / line))
    Image.fromarray(np.zeros((32, 32), "u1")).save(root / "gtFine/val/c/x_gtFine_labelIds.png")
    return dict(type="Cityscapes", root="streets", split="val", image_size=32, has_edges=False)


NAMERS = [image_list, attribute_folder, long_tail, tiny_imagenet, label_maps]
WAYS = {
    "upwards": lambda place: "../home/private.png",
    "down and up": lambda place: "images/../../home/private.png",
    "absolute": lambda place: str(place.parent / "home" / "private.png"),
}


def linked(place):
    (place / "images" / "link.png").symlink_to(place.parent / "home" / "private.png")
    return "images/link.png"


WAYS["through a link"] = linked


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("namer", NAMERS)
@pytest.mark.parametrize("wrapped", [False, True], ids=["itself", "in another"])
def test_no_text_leads_out_of_the_models_folder(namer, way, wrapped, place):
    config = namer(place, WAYS[way](place))
    # of the user's own it is the same set, and the picture comes out: else nothing would be shown here
    last = closed_world.build(DATASETS, copy.deepcopy(config), USER, "dataset")
    assert last[len(last) - 1]["image"][:, 5, 5].tolist() == list(PRIVATE)
    if wrapped and namer is not label_maps:
        config = dict(type="ImbalancedDataset", dataset=config)
    with pytest.raises(RefusedConfigError, match=r"model\.safetensors.*outside the model's folder") as caught:
        closed_world.build(DATASETS, config, origin_of(place), "dataset")
    assert "CONFIG FILE" in str(caught.value)


@pytest.mark.parametrize("namer", NAMERS[:4])
def test_names_within_the_folder_are_read(namer, place):
    config = namer(place, "images/other.png")
    assert len(closed_world.build(DATASETS, config, origin_of(place), "dataset"))


@pytest.mark.parametrize("how", ["as it is", "copied", "sent to a worker"])
def test_a_data_set_that_is_opened_later_is_opened_for_the_same(how, place):
    Image.fromarray(np.zeros((32, 32), "u1")).save(place / "zero.png")
    asked = dict(type="RealCondition", dataset=image_list(place, "../home/private.png"))
    sampler = closed_world.build(SAMPLERS, asked, origin_of(place), "condition_sampler")
    changed = {"as it is": lambda x: x, "copied": copy.deepcopy}
    change = changed.get(how, lambda x: pickle.loads(pickle.dumps(x)))
    with pytest.raises(RefusedConfigError, match="outside the model's folder"):
        change(sampler).sample(1, torch.Generator())


def test_what_is_built_for_a_stranger_ends_with_it(place):
    outside = [place.parent / "home" / "private.png"]
    with pytest.raises(RefusedConfigError):
        closed_world.build(DATASETS, image_list(place, str(outside[0])), origin_of(place), "dataset")
    require_inside(outside)
