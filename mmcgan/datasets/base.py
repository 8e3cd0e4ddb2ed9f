"""What every image dataset of mmcgan has in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mmcgan.checkpoints.hashing import text_hash
from mmcgan.contracts import Contract, Value
from mmcgan.datasets.given import Given, given_to
from mmcgan.datasets.pipeline import Pipeline
from mmcgan.returned import check_facts

DIGEST_ITEMS = 16  # looked at together by items_digest


class GANDataset(Dataset[Any]):
    """Base of all data sets that are trained on.

    A subclass writes ``__len__`` and ``__getitems__``, which returns a dict of tensors with N rows: ``image``
    uint8 (N, 3, H, W) and fields of the condition by name (``label`` int64 (N,), ...). All else has a
    default.

    Attributes:
        labels: int64 (size,), None if unlabelled.
        classes: a name per class, None if unlabelled.
        groups: an :class:`~mmcgan.attributes.AttributeGroups`, None without attributes.
        split: which part of a set it is, None if there are none.
        left_out: what was not taken of the files that were found, None if nothing is.
        pipeline: what changes each image before it comes out, None if nothing does.
        reader: how files are read, which decides what packing makes of them; None if it reads none.
        source: a method, position -> the file as it is stored; None of a set that has none.
        shard_sizes: how many images each shard has, in order; None of a set that is not in shards.
        condition_sampler: what a set of conditions draws them with; None if it draws none.
        disk_arguments: names of the constructor's arguments that name files; None if not declared: the set is
            then refused in configs that came with somebody's weights.
        user_arguments: arguments that such configs must leave alone.
    """

    contract: ClassVar[Contract] = Contract(
        "data set",
        "docs/extending/dataset.md",
        methods={
            "__len__": "the number of images",
            "__getitems__": "positions -> a dict of tensors: image, and fields of the condition",
        },
        values={"metainfo": Value("a dict", lambda value: isinstance(value, Mapping))},
    )

    labels: Tensor | None = None
    classes: Sequence[str] | None = None
    groups: Any = None
    split: str | None = None
    left_out: Any = None
    pipeline: Any = None
    reader: Any = None
    source: Any = None
    shard_sizes: Sequence[int] | None = None
    condition_sampler: Any = None
    disk_arguments: ClassVar[tuple[str, ...] | None] = None
    user_arguments: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def facts(cls, *settings: Any, **named: Any) -> dict[str, Any]:
        """Return what a config needs to know before an image is decoded, of settings of the constructor.

        Components that have an argument of the name of a fact are given it. A subclass writes this with the
        parameters of its constructor, or :meth:`facts_of`.

        Raises:
            TypeError: these are no settings of the constructor.
            ContractError: :meth:`facts_of` returned something else than a dict.
        """
        known = cls.facts_of(given_to(cls, settings, named))
        check_facts(cls, "facts_of", known)
        return known

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return some of ``image_size``, ``num_classes``, ``class_counts``, ...; the base knows nothing.

        Args:
            given: the constructor's arguments by name, every default filled in.
        """
        return {}

    @classmethod
    def stand_in(cls, config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a config of made-up data in place of ``config``, whose files are not there; None for any.

        Args:
            config: of this data set.
            facts: ``num_classes``, ``image_size`` and ``size``, how many images it is to stand for.
        """
        return None

    @classmethod
    def default_folders(cls) -> Sequence[str | Path]:
        """Return where the files are looked for if nobody says."""
        return ()

    def __len__(self) -> int:
        """Return the number of images."""
        raise NotImplementedError

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return one item of :meth:`__getitems__`, without the axis of items."""
        return {name: value[0] for name, value in self.__getitems__([index]).items()}

    def numbered_item(self, index: int) -> dict[str, Any]:
        """Return the item at ``index`` with its label as a number, where it has one."""
        item: dict[str, Any] = GANDataset.__getitem__(self, index)
        if "label" in item:
            item["label"] = int(item["label"])
        return item

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return the items at ``indices``: ``image`` uint8 (N, 3, H, W) and fields of the condition."""
        raise NotImplementedError

    def batches(self, rows: Sequence[int], batch_size: int) -> Iterator[Sequence[int]]:
        """Yield ``rows`` in batches whose images are of one size."""
        return (rows[start : start + batch_size] for start in range(0, len(rows), batch_size))

    @property
    def metainfo(self) -> dict[str, Any]:
        """What is known of the set: ``classes``, ``num_classes``, ``image_size``, ``class_counts``, ..."""
        return {}

    def fingerprint(self) -> str:
        """Return a digest of all images as they come out, of labels and settings."""
        return items_digest(self)

    def source_digest(self) -> str | None:
        """Return a digest of which images these are, whatever size they are read at; None if not known."""
        return None

    def part_digest(self, rows: Sequence[int]) -> str | None:
        """Return a digest of the files of some rows; None if the set is not of files."""
        return None


class ImageDataset(GANDataset):
    """Images uint8 (3, H, W) with optional class labels, fetched one by one or in batches.

    Subclasses implement :meth:`_fetch`. Registered ones also have a classmethod ``facts`` with the
    constructor's parameters; it returns what a configuration needs before any image is decoded: a dict with
    keys among ``num_classes``, ``image_size`` and ``class_counts``.

    Args:
        image_size: height and width of every image.
        labels: int64 (size,), or None when the set is unlabelled.
        classes: one name per class.
        size: number of images.
        pipeline: configs of mmcv transforms, applied image by image; see :class:`Pipeline`.

    Raises:
        ValueError: a label is outside 0..len(classes)-1, or the numbers of labels and images differ.
    """

    def __init__(
        self,
        image_size: int,
        labels: Tensor | None,
        classes: Sequence[str] | None,
        size: int,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.image_size = image_size
        self.labels = labels
        self.classes = None if classes is None or labels is None else tuple(classes)
        self.size = size
        self.pipeline = Pipeline(pipeline, image_size) if pipeline else None
        self._pipeline_config = [dict(transform) for transform in pipeline]
        if labels is not None:
            check_labels(labels, size, 0 if classes is None else len(classes), type(self).__name__)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Class names, number of classes, image size, number of images and images per class.

        ``num_classes`` is 0 and ``classes`` and ``class_counts`` are None without labels.
        """
        num_classes = 0 if self.classes is None else len(self.classes)
        counts = None
        if self.labels is not None:
            counts = tuple(torch.bincount(self.labels, minlength=num_classes).tolist())
        return dict(
            classes=self.classes,
            num_classes=num_classes,
            image_size=self.image_size,
            size=self.size,
            class_counts=counts,
        )

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``image`` uint8 (3, H, W) and, when labelled, ``label``."""
        batch = self.__getitems__([index])
        sample: dict[str, Any] = {"image": batch["image"][0]}
        if "label" in batch:
            sample["label"] = int(batch["label"][0])
        return sample

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``image`` uint8 (N, 3, H, W) and, when labelled, ``label`` int64 (N,).

        Raises:
            IndexError: an index is outside the data set.
        """
        index = torch.tensor([int(i) for i in indices], dtype=torch.int64)
        if ((index < 0) | (index >= self.size)).any():
            raise IndexError(f"{type(self).__name__} has {self.size} images; asked for {index.tolist()}")
        batch = {"image": self._fetch(index)}
        if self.labels is not None:
            batch["label"] = self.labels[index]
        return batch if self.pipeline is None else self.pipeline(batch, indices)

    def _fetch(self, index: Tensor) -> Tensor:
        """Return the images at ``index`` int64 (N,) as uint8 (N, 3, H, W)."""
        raise NotImplementedError

    def settings_digest(self) -> str:
        """Return a digest of everything but the images: size, classes, labels and pipeline."""
        facts = (type(self).__name__, self.size, self.image_size, self.classes, self._pipeline_config)
        return text_hash(repr(facts), self.labels)

    def fingerprint(self) -> str:
        """Return a digest of all images as they come out, of labels and settings.

        The same images elsewhere have the same one; a changed pixel makes another. A set that has a quicker
        way than to look at every image overrides this.
        """
        return text_hash(f"{self.settings_digest()} {items_digest(self)}")


class MemoryDataset(ImageDataset):
    """An :class:`ImageDataset` held in memory: a batch is one ``index_select``.

    Args:
        images: uint8 (size, 3, H, W), or (size, 1, H, W) for gray images, which stay one channel in
            memory and are replicated in the batch.

    Raises:
        ValueError: ``images`` has another type or shape, or is not square.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        classes: Sequence[str] | None = None,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        name = type(self).__name__
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(
                f"{name}: images must be uint8 (N, 3, H, W) or (N, 1, H, W), "
                f"got {images.dtype} {tuple(images.shape)}"
            )
        if images.shape[2] != images.shape[3]:
            raise ValueError(f"{name}: images must be square, got {images.shape[2]}x{images.shape[3]}")
        super().__init__(images.shape[-1], labels, classes, len(images), pipeline)
        self.images = images

    def _fetch(self, index: Tensor) -> Tensor:
        return self.images.index_select(0, index).expand(-1, 3, -1, -1).contiguous()

    def fingerprint(self) -> str:
        """Return a digest of the pixels and the labels."""
        return text_hash(self.settings_digest(), self.images)


def items_digest(dataset: Any) -> str:
    """Return a SHA-256 over everything that a data set gives, looked at a few items at a time.

    Args:
        dataset: with a length and ``__getitems__``, which returns tensors by name.
    """
    digest = hashlib.sha256(str(len(dataset)).encode())
    for start in range(0, len(dataset), DIGEST_ITEMS):
        batch = dataset.__getitems__(list(range(start, min(start + DIGEST_ITEMS, len(dataset)))))
        for name in sorted(batch):
            value = batch[name].contiguous()
            if not start:
                digest.update(f"{name} {value.dtype} {tuple(value.shape[1:])}".encode())
            digest.update(value.numpy().data)
    return digest.hexdigest()


def check_labels(labels: Tensor, size: int, num_classes: int, where: str) -> None:
    """Check that there are ``size`` labels in 0..num_classes-1.

    Raises:
        ValueError: names ``where``, the first bad label and its position.
    """
    if len(labels) != size:
        raise ValueError(f"{where}: {size} images but {len(labels)} labels")
    bad = ((labels < 0) | (labels >= num_classes)).nonzero().flatten()
    if len(bad):
        position = int(bad[0])
        raise ValueError(
            f"{where}: label {int(labels[position])} of image {position} is outside "
            f"0..{num_classes - 1} ({len(bad)} labels are)"
        )


def check_image_size(image_size: int, where: str) -> int:
    """Return ``image_size`` if it is a positive whole number.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(image_size, int) or image_size < 1:
        raise ValueError(f"{where}: image_size must be a positive whole number, got {image_size!r}")
    return image_size


def check_choice(value: str, choices: Sequence[str], argument: str, where: str) -> str:
    """Return ``value`` if it is among ``choices``.

    Raises:
        ValueError: it is not; the message lists the choices.
    """
    if value not in choices:
        raise ValueError(f"{where}: {argument} must be one of {', '.join(choices)}; got {value!r}")
    return value
