"""The splits of COCO-Stuff that scene generation is measured on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcgan.text_files import read_json

# Of the images of val2017 that pass, so many are for tuning; the rest is the evaluation set.
TUNING_IMAGES = 1024
UNNAMED = "other"


@dataclass(frozen=True)
class ObjectRule:
    """Which images of COCO-Stuff are scenes (Johnson et al. 2018, Sec. 4.1).

    Attributes:
        smallest: share of the image that the box of a counted object covers more than.
        fewest, most: counted objects, things and stuff together, of an image.
    """

    smallest: float = 0.02
    fewest: int = 3
    most: int = 8


@dataclass(frozen=True)
class Scenes:
    """Images in the order of the annotation file, each with the categories of its objects.

    Attributes:
        names: file names.
        categories: ids of the objects' categories.
    """

    names: list[str]
    categories: list[frozenset[int]]

    def __len__(self) -> int:
        return len(self.names)


def read_annotations(path: Path) -> dict[str, Any]:
    """Return an annotation file of COCO.

    Raises:
        FileNotFoundError: no such file; says where it comes from.
        ValueError: not JSON, or without images, annotations and categories.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: unpack annotations_trainval2017.zip and stuff_annotations_trainval2017.zip "
            "of COCO 2017 there"
        )
    content = read_json(path, "an annotation file of COCO")
    absent = [key for key in ("images", "annotations", "categories") if key not in content]
    if absent:
        raise ValueError(f"{path}: not an annotation file of COCO; {', '.join(absent)} missing")
    return content


def find_scenes(
    things: Mapping[str, Any], stuff: Mapping[str, Any], rule: ObjectRule | None = None
) -> Scenes:
    """Return the images with few, large objects, out of those that have stuff annotations.

    Crowds, objects whose box is too small and the category "other" are not counted.

    Args:
        things: content of ``instances_*.json``.
        stuff: content of ``stuff_*.json``, of the same images.
        rule: limits.
    """
    rule = rule or ObjectRule()
    areas = {image["id"]: image["width"] * image["height"] for image in things["images"]}
    unnamed = {c["id"] for part in (things, stuff) for c in part["categories"] if c["name"] == UNNAMED}
    objects: dict[int, list[int]] = defaultdict(list)
    for entry in (*things["annotations"], *stuff["annotations"]):
        image, category = entry["image_id"], entry["category_id"]
        width, height = entry["bbox"][2:]
        large = width * height > rule.smallest * areas[image]
        if large and category not in unnamed and entry.get("iscrowd") != 1:
            objects[image].append(category)
    annotated = {entry["image_id"] for entry in stuff["annotations"]}
    kept = [
        image
        for image in things["images"]
        if image["id"] in annotated and rule.fewest <= len(objects[image["id"]]) <= rule.most
    ]
    return Scenes([i["file_name"] for i in kept], [frozenset(objects[i["id"]]) for i in kept])


def split_scenes(train: Scenes, val: Scenes, tuning: int = TUNING_IMAGES) -> dict[str, list[str]]:
    """Return file names by split: ``train``, ``eval``, ``eval-seen`` and ``eval-unseen``.

    An evaluation image is seen if some training image has objects of exactly its categories
    (Casanova et al. 2020). The first ``tuning`` images of ``val`` are in no split.
    """
    known = set(train.categories)
    rows = range(tuning, len(val))
    seen = [row for row in rows if val.categories[row] in known]
    unseen = [row for row in rows if val.categories[row] not in known]
    chosen = {"eval": rows, "eval-seen": seen, "eval-unseen": unseen}
    return {"train": train.names, **{name: [val.names[i] for i in part] for name, part in chosen.items()}}
