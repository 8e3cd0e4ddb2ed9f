"""Data sets with many images of some classes and few of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.checkpoints.hashing import text_hash
from mmcgan.class_names import absent_classes
from mmcgan.datasets.base import ImageDataset, check_choice
from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import FolderIndex
from mmcgan.datasets.sets.walk import listed_files
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS
from mmcgan.text_files import file_name, read_text

# training images per class from which a class has many, and up to which it has few (Liu et al. 2019)
MANY, FEW = 100, 20
GROUPS = ("many", "medium", "few")
IMAGENET_CLASSES = 1000
LONGEST_LABEL = 20  # digits


def shot_groups(class_counts: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the classes with many (100 or more), medium (21 to 99) and few (20 or less) training images."""
    groups: dict[str, list[int]] = {name: [] for name in GROUPS}
    for label, count in enumerate(class_counts):
        groups["many" if count >= MANY else "few" if count <= FEW else "medium"].append(label)
    return {name: tuple(labels) for name, labels in groups.items()}


def exponential_counts(largest: int, num_classes: int, ratio: float) -> tuple[int, ...]:
    """Return images per class that fall exponentially from ``largest`` to ``largest / ratio``.

    Cui et al. 2019: class c of C keeps largest * ratio^(-c / (C - 1)), rounded down, at least 1.

    Raises:
        ValueError: ``ratio`` is below 1.
    """
    if not ratio >= 1:
        raise ValueError(
            f"ratio must be at least 1, the frequencies of the first and last class, got {ratio}"
        )
    last = max(1, num_classes - 1)
    return tuple(max(1, int(largest * ratio ** (-label / last) + 1e-9)) for label in range(num_classes))


@DATASETS.register_module()
class ImbalancedDataset(ImageDataset):
    """A labelled set of which class c keeps exponentially fewer images than class c - 1.

    The images kept are a random choice that depends on the seed alone. ``metainfo["groups"]`` has the classes
    with many, medium and few images.

    Args:
        dataset: config of the whole set.
        ratio: images of the first class over images of the last.
        seed: decides which images are kept.

    Raises:
        ValueError: an unlabelled set, or a ratio below 1.
    """

    disk_arguments = ()

    def __init__(self, dataset: dict[str, Any], ratio: float = 100.0, seed: int = 0) -> None:
        self.whole = DATASETS.build(dict(dataset))
        if self.whole.labels is None or self.whole.classes is None:
            raise ValueError(f"ImbalancedDataset: {dataset.get('type')} has no labels")
        available = torch.bincount(self.whole.labels, minlength=len(self.whole.classes)).tolist()
        self.rows = _keep(self.whole.labels, _imbalanced(available, ratio), seed)
        labels = self.whole.labels[self.rows]
        super().__init__(self.whole.image_size, labels, self.whole.classes, len(labels))

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of every image set, and ``groups``."""
        own = super().metainfo
        return {**own, "groups": shot_groups(own["class_counts"])}

    def _fetch(self, index: Tensor) -> Tensor:
        return self.whole.__getitems__(self.rows[index].tolist())["image"]

    def fingerprint(self) -> str:
        """Return a digest of the whole set and the choice."""
        return self._with_rows(self.whole.fingerprint())

    def source_digest(self) -> str | None:
        """Return a digest of the files of the whole set and the choice, None if it is not of files."""
        source = self.whole.source_digest()
        return None if source is None else self._with_rows(source)

    def _with_rows(self, whole: str) -> str:
        return text_hash(whole, self.rows)

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the facts of the whole set with the class counts that are kept."""
        kind = DATASETS.get(given.dataset["type"])
        arguments = {key: value for key, value in given.dataset.items() if key != "type"}
        known = dict(kind.facts(**arguments))
        if known.get("class_counts") is not None:
            known["class_counts"] = _imbalanced(known["class_counts"], given.ratio)
        return known


def _imbalanced(available: Sequence[int], ratio: float) -> tuple[int, ...]:
    wanted = exponential_counts(max(available), len(available), ratio)
    return tuple(min(want, have) for want, have in zip(wanted, available, strict=True))


def _keep(labels: Tensor, counts: Sequence[int], seed: int) -> Tensor:
    """Return the rows kept, sorted, int64."""
    kept = []
    for label, count in enumerate(counts):
        rows = (labels == label).nonzero().flatten()
        order = torch.randperm(len(rows), generator=make_generator(seed, "imbalance", label))
        kept.append(rows[order[:count]])
    return torch.cat(kept).sort().values


@DATASETS.register_module()
class ImageNetLT(FileDataset):
    """ImageNet-LT (Liu et al. 2019): 115,846 images of ImageNet with 1280 to 5 per class, by its list files.

    ``metainfo["groups"]`` has the classes with many, medium and few *training* images, for either split.

    Args:
        root: the folder that the paths of the lists start from, with ``train`` and ``val``.
        lists: the folder with ``ImageNet_LT_train.txt`` and ``ImageNet_LT_val.txt``.
        split: ``train`` or ``val``.
        image_size, fit, interpolation, pipeline: as in :class:`~mmcgan.datasets.sets.imagenet.ImageNet`.

    Raises:
        FileNotFoundError: a list file, the folder or an image of the list is missing.
        ValueError: a line of a list is malformed, or a class has no image.
    """

    disk_arguments = ("root", "lists")

    def __init__(
        self,
        root: str = "data/imagenet",
        lists: str = "data/imagenet-lt",
        split: str = "train",
        image_size: int = 64,
        fit: str = "crop_long_side",
        interpolation: str = "bilinear",
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        check_choice(split, ("train", "val"), "split", "ImageNetLT")
        if not Path(root).is_dir():
            raise FileNotFoundError(f"ImageNetLT: no folder {root}; unpack ILSVRC2012 there, or set root")
        index = read_list(_list_file(lists, split), root)
        index = replace(index, paths=listed_files(index.paths, _list_file(lists, split)))
        super().__init__(index, ImageReader(image_size, fit, interpolation), False, pipeline)
        self.split = split
        self.training_counts = index.class_counts()
        if split != "train" and _list_file(lists, "train").is_file():
            self.training_counts = read_list(_list_file(lists, "train"), root).class_counts()

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of every image set, and ``groups`` by the training images."""
        return {**super().metainfo, "groups": shot_groups(self.training_counts or ())}

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count and image size and, where the list is present, the images per class."""
        check_choice(given.split, ("train", "val"), "split", "ImageNetLT")
        ImageReader(given.image_size, given.fit, given.interpolation)  # checks the options
        path = _list_file(given.lists, given.split)
        if not path.is_file():
            return dict(num_classes=IMAGENET_CLASSES, image_size=given.image_size)
        counts = read_list(path, given.root).class_counts() or ()
        return dict(num_classes=len(counts), image_size=given.image_size, class_counts=counts)


def _list_file(lists: str, split: str) -> Path:
    return Path(lists) / f"ImageNet_LT_{split}.txt"


def read_list(path: Path, root: str | Path) -> FolderIndex:
    """Read a list of ``relative/path label`` lines; a class is named after the folder of its first image.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a malformed line, a label below the largest that no line has, or one beyond any set's.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: fetch the list files of ImageNet-LT from their authors "
            "(OpenLongTailRecognition) and set lists to their folder"
        )
    paths, labels = [], []
    names: dict[int, str] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.isdecimal() or len(label) > LONGEST_LABEL:
            raise ValueError(f"{path}, line {number}: expected a path and a label, got {line[:60]!r}")
        paths.append(str(Path(root) / file_name(name)))
        labels.append(int(label))
        names.setdefault(int(label), Path(name).parent.name)
    return FolderIndex(paths, torch.tensor(labels, dtype=torch.int64), _class_names(names, path))


def _class_names(names: Mapping[int, str], path: Path) -> tuple[str, ...]:
    absent = absent_classes(names, str(path))
    if absent or not names:
        raise ValueError(f"{path}: no image of class {absent[0] if absent else 0}")
    return tuple(names[label] for label in range(len(names)))
