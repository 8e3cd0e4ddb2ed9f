"""Data sets of images with a class for every pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmcgan.checkpoints.hashing import text_hash
from mmcgan.datasets.base import GANDataset, items_digest
from mmcgan.datasets.decode import BadImageError, open_checked, read_rgb
from mmcgan.datasets.given import Given
from mmcgan.datasets.label_maps.map_transform import MapTransform
from mmcgan.datasets.order import drawn
from mmcgan.file_identity import files_digest
from mmcgan.label_maps import instance_edges, unknown_ids
from mmcgan.origin import require_inside
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS
from mmcgan.structures import height_and_width

#: the id with which files mark pixels that belong to no class
DONT_CARE = 255
ID_MODES = ("1", "L", "P", "I", "I;16", "I;16B")

ImageSize = int | Sequence[int]


def map_facts(image_size: ImageSize, map_classes: Sequence[str], has_edges: bool) -> dict[str, Any]:
    """Return what configurations ask of a data set with label maps."""
    return dict(
        num_classes=0,
        image_size=plain_size(image_size),
        num_map_classes=len(map_classes),
        has_edges=has_edges,
    )


def plain_size(image_size: ImageSize) -> int | tuple[int, int]:
    """Return the side of a square, otherwise (height, width).

    Raises:
        ValueError: not a size.
    """
    height, width = height_and_width(image_size)
    return height if height == width else (height, width)


class LabelMapDataset(GANDataset):
    """Images uint8 (3, H, W) with ``label_map`` int64 (H, W) and, if asked for, ``edge_map`` uint8 (H, W).

    Subclasses implement :meth:`_fetch_pairs`, and registered ones a classmethod ``facts``
    (see :func:`map_facts`). There is no label of an image as a whole.

    Args:
        image_size: side, or (height, width), of every image.
        map_classes: one name per class of pixels.
        size: number of images.
        has_edges: whether there is an ``edge_map``, 1 where instances meet.
    """

    def __init__(
        self, image_size: ImageSize, map_classes: Sequence[str], size: int, has_edges: bool = False
    ) -> None:
        self.image_size = plain_size(image_size)
        self.map_classes, self.has_edges = tuple(map_classes), has_edges
        self.size = size

    @property
    def num_map_classes(self) -> int:
        """Number of classes of pixels."""
        return len(self.map_classes)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Names and number of the classes of pixels, whether there are edges, size and number of images."""
        facts = map_facts(self.image_size, self.map_classes, self.has_edges)
        return {
            **facts,
            "classes": None,
            "class_counts": None,
            "map_classes": self.map_classes,
            "size": self.size,
        }

    def __len__(self) -> int:
        return self.size

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``image``, ``label_map`` and, with edges, ``edge_map``, of each of N.

        Raises:
            IndexError: an index is outside the data set.
        """
        if any(not 0 <= int(index) < self.size for index in indices):
            raise IndexError(f"{type(self).__name__} has {self.size} images; asked for {list(indices)}")
        return self._fetch_pairs(indices)

    def _fetch_pairs(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``image`` uint8 (N, 3, H, W), ``label_map`` int64 (N, H, W), with edges ``edge_map``."""
        raise NotImplementedError

    def settings_digest(self) -> str:
        """Return a digest of everything but images and maps."""
        facts = (type(self).__name__, self.size, self.image_size, self.map_classes, self.has_edges)
        return text_hash(repr(facts))

    def fingerprint(self) -> str:
        """Return a digest of all images and maps as they come out, and of settings."""
        return text_hash(f"{self.settings_digest()} {items_digest(self)}")


@dataclass(frozen=True)
class MapFiles:
    """Where an image and its maps are.

    Attributes:
        image, labels: picture, and map of class ids.
        instances: map of instance ids, or None.
    """

    image: Path
    labels: Path
    instances: Path | None = None


def paths_of(files: Sequence[MapFiles]) -> list[Path]:
    """Return all files of images and maps."""
    return [path for each in files for path in (each.image, each.labels, each.instances) if path]


class LabelMapFiles(LabelMapDataset):
    """Label maps in image files of one channel, whose values are the ids.

    Args:
        files: of every image.
        map_classes: names of the classes, id by id.
        transform: to one size; crops depend on (seed, position) of the
            :class:`~mmcgan.datasets.order.Draw`.
        has_edges: whether to mark the borders of instances.
        dont_care: give the id 255 of a file, "no class", a class of its own, the last.

    Raises:
        ValueError: no files, or edges without maps of instances.
        RefusedConfigError: built for the config of a stranger's file, a file outside that one's folder.
    """

    def __init__(
        self,
        files: Sequence[MapFiles],
        map_classes: Sequence[str],
        transform: MapTransform,
        has_edges: bool = False,
        dont_care: bool = False,
    ) -> None:
        name = type(self).__name__
        if not files:
            raise ValueError(f"{name}: no images")
        if has_edges and any(each.instances is None for each in files):
            raise ValueError(f"{name}: has_edges=True needs a map of instances for every image")
        super().__init__(transform.image_size, with_dont_care(map_classes, dont_care), len(files), has_edges)
        require_inside(paths_of(files))
        self.files, self.transform, self.dont_care = list(files), transform, dont_care

    def _fetch_pairs(self, indices: Sequence[int]) -> dict[str, Tensor]:
        items = [self._read(index) for index in indices]
        return {name: torch.stack([item[name] for item in items]) for name in items[0]}

    def _read(self, index: int) -> dict[str, Tensor]:
        files = self.files[int(index)]
        picture, labels = read_picture(files.image), read_ids(files.labels)
        _same_size(picture, files.image, labels, files.labels)
        draw = drawn(index)
        corner = self.transform.draw(labels.shape, draw.seed, draw.position)
        label_map = torch.from_numpy(self.transform.ids(labels, corner))
        item = {
            "image": torch.from_numpy(self.transform.image(picture, corner)).permute(2, 0, 1).contiguous(),
            "label_map": known_ids(label_map, self.num_map_classes, self.dont_care, files.labels),
        }
        if self.has_edges and files.instances is not None:
            instances = read_ids(files.instances)
            _same_size(picture, files.image, instances, files.instances)
            ids = torch.from_numpy(self.transform.ids(instances, corner))
            item["edge_map"] = instance_edges(ids).byte()
        return item

    def fingerprint(self) -> str:
        """Return a digest of names and contents of all files, and of how they are read."""
        paths = [str(path) for path in paths_of(self.files)]
        parts = (self.settings_digest(), self.transform, self.dont_care, files_digest(paths))
        return text_hash(repr(parts))


def with_dont_care(map_classes: Sequence[str], dont_care: bool) -> tuple[str, ...]:
    """Return the names with "don't care" as the last, if there is such a class."""
    return (*map_classes, "don't care") if dont_care else tuple(map_classes)


def known_ids(label_map: Tensor, num_map_classes: int, dont_care: bool, source: Path) -> Tensor:
    """Return ids in [0, num_map_classes) of a map with ids of files, in which 255 may be "don't care".

    Raises:
        BadImageError: another id; names the file, the ids and the allowed range.
    """
    if dont_care:
        last = num_map_classes - 1
        if bool((label_map == last).any()):
            raise BadImageError(f"{source}: label map has class id {last}; allowed are 0..{last - 1} and 255")
        label_map = torch.where(label_map == DONT_CARE, last, label_map)
    if int(label_map.min()) < 0 or int(label_map.max()) >= num_map_classes:
        hint = "; dont_care=True makes 255 a class" if bool((label_map == DONT_CARE).any()) else ""
        raise BadImageError(f"{source}: {unknown_ids(label_map, num_map_classes)}{hint}")
    return label_map


def read_picture(path: Path) -> np.ndarray:
    """Return an image file as uint8 (H, W, 3).

    Raises:
        BadImageError: it cannot be read.
    """
    return np.array(read_rgb(path))


def read_ids(path: Path) -> np.ndarray:
    """Return a file of ids, one channel of whole numbers, as (H, W).

    Raises:
        BadImageError: it cannot be read or has several channels, such as a map that is coloured in.
    """
    with open_checked(path) as image:
        if image.mode not in ID_MODES:
            raise BadImageError(
                f"{path}: a map of ids has one channel, this image is of mode {image.mode}: is it a "
                "picture of the map in colours?"
            )
        try:
            return np.array(image).astype(np.int64)
        except Exception as error:  # decoders raise what they like
            raise BadImageError(f"{path}: unreadable map: {error}") from error


def _same_size(picture: np.ndarray, path: Path, ids: np.ndarray, other: Path) -> None:
    if picture.shape[:2] != ids.shape:
        raise BadImageError(
            f"{other} has {ids.shape[1]} x {ids.shape[0]} pixels, its image {path} "
            f"{picture.shape[1]} x {picture.shape[0]}"
        )


@DATASETS.register_module()
class SyntheticLabelMaps(LabelMapDataset):
    """Rectangles of random classes, painted in the class's gray level with noise, to try a configuration.

    Args:
        num_map_classes: at least 1.
        image_size: side, or (height, width).
        size: number of images; image i is a function of (seed, i).
        has_edges: also mark where rectangles meet.
        seed: of all.

    Raises:
        ValueError: a number below 1.
    """

    disk_arguments = ()

    def __init__(
        self,
        num_map_classes: int,
        image_size: ImageSize,
        size: int = 16,
        has_edges: bool = False,
        seed: int = 0,
    ) -> None:
        if num_map_classes < 1 or size < 1:
            raise ValueError(
                "SyntheticLabelMaps: num_map_classes and size must be at least 1, "
                f"got {num_map_classes} and {size}"
            )
        super().__init__(image_size, [str(i) for i in range(num_map_classes)], size, has_edges)
        self.seed = seed

    def _fetch_pairs(self, indices: Sequence[int]) -> dict[str, Tensor]:
        items = [self._make(int(index)) for index in indices]
        return {name: torch.stack([item[name] for item in items]) for name in items[0]}

    def _make(self, index: int) -> dict[str, Tensor]:
        generator = make_generator(self.seed, "synthetic label map", index)
        height, width = height_and_width(self.image_size)
        label_map = torch.zeros(height, width, dtype=torch.int64)
        for _ in range(4):
            corner = torch.rand(2, generator=generator)
            top, left = int(corner[0] * height * 0.75), int(corner[1] * width * 0.75)
            drawn = torch.randint(self.num_map_classes, (1,), generator=generator)
            label_map[top : top + height // 2, left : left + width // 2] = drawn
        noise = torch.randint(64, (3, height, width), generator=generator)
        image = (noise + 191 * label_map // self.num_map_classes).to(torch.uint8)
        item = {"image": image, "label_map": label_map}
        return {**item, "edge_map": instance_edges(label_map).byte()} if self.has_edges else item

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the number of classes of pixels, whether there are edges, and the image size."""
        return map_facts(given.image_size, [""] * given.num_map_classes, given.has_edges)


def synthetic_maps(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of made-up label maps with these facts, which stand in for absent files."""
    kept = ("num_map_classes", "image_size", "has_edges")
    return {"type": "SyntheticLabelMaps", **{name: facts[name] for name in kept}}
