"""Cityscapes: street scenes with a class for every pixel (Cordts et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcgan.datasets.base import check_choice
from mmcgan.datasets.given import Given
from mmcgan.datasets.label_maps.base import (
    ImageSize,
    LabelMapFiles,
    MapFiles,
    map_facts,
    synthetic_maps,
    with_dont_care,
)
from mmcgan.datasets.label_maps.map_transform import MapTransform
from mmcgan.registry import DATASETS

#: The raw ids of ``*_labelIds.png``; license plates have -1 in the annotations and 34 here.
CLASSES = (
    "unlabeled",
    "ego vehicle",
    "rectification border",
    "out of roi",
    "static",
    "dynamic",
    "ground",
    "road",
    "sidewalk",
    "parking",
    "rail track",
    "building",
    "wall",
    "fence",
    "guard rail",
    "bridge",
    "tunnel",
    "pole",
    "polegroup",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "caravan",
    "trailer",
    "train",
    "motorcycle",
    "bicycle",
    "license plate",
)
#: The 19 raw ids over which the benchmark averages the intersection over union, in its own order.
EVALUATED_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
#: Images of each split.
COUNTS = {"train": 2975, "val": 500}
#: height and width that generators of every depth but the largest can make
TINY_SIZE = (64, 128)
IMAGES, ANNOTATIONS = "leftImg8bit", "gtFine"


@DATASETS.register_module()
class Cityscapes(LabelMapFiles):
    """Images and fine annotations of Cityscapes, resized, all 35 raw classes.

    Folders as they are unpacked: ``leftImg8bit/<split>/<city>/<name>_leftImg8bit.png`` and
    ``gtFine/<split>/<city>/<name>_gtFine_labelIds.png`` (and ``_gtFine_instanceIds.png`` for edges).

    Args:
        root: the folder that holds both.
        split: ``train`` or ``val``, on which SPADE and Omni-GAN test.
        image_size: (height, width) or a side.
        has_edges: give the borders of instances as ``edge_map``.
        dont_care: accept pixels of id 255 as a further class.

    Raises:
        FileNotFoundError: a folder, or an image's annotation, is not there.
        ValueError: an unknown split or a bad size.
    """

    disk_arguments = ("root",)

    def __init__(
        self,
        root: str = "data/cityscapes",
        split: str = "train",
        image_size: ImageSize = (256, 512),
        has_edges: bool = True,
        dont_care: bool = False,
    ) -> None:
        check_choice(split, tuple(COUNTS), "split", "Cityscapes")
        transform = MapTransform(image_size)
        files = find_files(Path(root), split, has_edges)
        self.split = split
        super().__init__(files, CLASSES, transform, has_edges, dont_care)

    @property
    def metainfo(self) -> dict[str, Any]:
        """As of every set of label maps, and ``evaluated_ids``, the classes of the benchmark."""
        return {**super().metainfo, "evaluated_ids": EVALUATED_IDS}

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the number of classes of pixels, whether there are edges, the image size; needs no files."""
        check_choice(given.split, tuple(COUNTS), "split", "Cityscapes")
        return map_facts(given.image_size, with_dont_care(CLASSES, given.dont_care), given.has_edges)

    @classmethod
    def stand_in(cls, dataset: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config of small images that needs no files, for a tiny run."""
        facts = cls.facts(**{key: value for key, value in dataset.items() if key != "type"})
        return synthetic_maps(facts | {"image_size": TINY_SIZE})


def find_files(root: Path, split: str, has_edges: bool) -> list[MapFiles]:
    """Return the files of every image of a split, in order of city and name.

    Raises:
        FileNotFoundError: no such folder, no image in it, or an image without annotation.
    """
    folder = root / IMAGES / split
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Cityscapes: no folder {folder}; unpack leftImg8bit_trainvaltest.zip and "
            f"gtFine_trainvaltest.zip (after registration at cityscapes-dataset.com) into {root}, or set root"
        )
    images = sorted(folder.glob(f"*/*_{IMAGES}.png"))
    if not images:
        raise FileNotFoundError(f"Cityscapes: no <city>/*_{IMAGES}.png in {folder}")
    return [_files_of(image, root / ANNOTATIONS / split, has_edges) for image in images]


def _files_of(image: Path, folder: Path, has_edges: bool) -> MapFiles:
    stem = f"{image.parent.name}/{image.name.removesuffix(f'_{IMAGES}.png')}_{ANNOTATIONS}"
    labels = folder / f"{stem}_labelIds.png"
    instances = folder / f"{stem}_instanceIds.png" if has_edges else None
    for path in (labels, instances):
        if path is not None and not path.is_file():
            raise FileNotFoundError(f"Cityscapes: {image} has no annotation {path}")
    return MapFiles(image, labels, instances)
