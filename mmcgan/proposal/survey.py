"""Looking at a folder of images: how many, of which sizes, kinds and classes, how many twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image

from mmcgan.datasets.decode import BadImageError, Source, image_size, open_checked, read_rgb
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.progress import progress_bar
from mmcgan.random import make_generator

#: images that are decoded to judge a set; more are drawn from
LOOKED_AT = 2000
#: of the 64 bits of two images' difference hashes, as many may differ where they show the same
SAME_BITS = 3
#: largest difference between the channels of a gray image, as compression leaves it
GRAY_LEVELS = 8
SAME_LEVELS = 6.0
BLOCK = 64


@dataclass(frozen=True)
class Survey:
    """What is known of the images in a folder.

    Attributes:
        root: the folder, or what to call several or a data set.
        count: images.
        classes: name -> images, where the folders are classes.
        why_unlabelled: why they are not; None where they are.
        looked_at: how many images were decoded for what follows.
        shorter_sides: smallest, middle and largest shorter side, pixels.
        square: share of images that are square.
        gray: share of images without colour.
        conversions: what is done to images that are not 8-bit RGB -> how many.
        unreadable: one line per image that cannot be read.
        duplicates: images that show what another one shows.
        left_out: folders and files that were not taken, a line each.
        sides: the shorter side of every image looked at, pixels.
    """

    root: Path | str
    count: int
    classes: dict[str, int] | None
    why_unlabelled: str | None
    looked_at: int
    shorter_sides: tuple[int, int, int]
    square: float
    gray: float
    conversions: dict[str, int]
    unreadable: list[str] = field(default_factory=list)
    duplicates: int = 0
    left_out: list[str] = field(default_factory=list)
    sides: tuple[int, ...] = ()

    @property
    def imbalance(self) -> float:
        """How many times more images the largest class has than the smallest; 1 without classes."""
        counts = list((self.classes or {}).values())
        return max(counts) / min(counts) if counts else 1.0

    def lines(self, image_size: int | None = None) -> list[str]:
        """Return the survey as lines to show.

        Args:
            image_size: that training reads them in; says what is done for it.
        """
        of = "" if self.looked_at == self.count else f" (of {self.looked_at:,} drawn)"
        low, middle, high = self.shorter_sides
        found = [
            f"{self.count:,} images in {self.root}",
            f"shorter sides: {low} to {high} pixels, half of them {middle} or more{of}",
            f"{self.square:.0%} square, {self.gray:.0%} without colour{of}",
        ]
        if self.classes is not None:
            counts = sorted(self.classes.items(), key=lambda pair: -pair[1])
            shown = ", ".join(f"{name} {number}" for name, number in counts[:10])
            found.append(f"{len(counts)} classes: {shown}{', ...' if len(counts) > 10 else ''}")
            if self.imbalance >= 2:
                found.append(f"the largest class has {self.imbalance:.1f} times the images of the smallest")
        else:
            found.append(f"no classes: {self.why_unlabelled}")
        found += [f"{number:,} {what}" for what, number in self.conversions.items()]
        if image_size is not None:
            found += self._resizing(image_size, of)
        found.append(f"{self.duplicates:,} show what another image shows{of}")
        found += [f"cannot be read: {line}" for line in self.unreadable[:10]]
        found += [f"left out: {line}" for line in self.left_out[:10]]
        return found

    def _resizing(self, image_size: int, of: str) -> list[str]:
        """Return what is done to bring images to one size."""
        cut = round((1 - self.square) * self.looked_at)
        small = sum(side < image_size for side in self.sides)
        large = sum(side > image_size for side in self.sides)
        done = (
            (cut, "are not square: their centre is cut out"),
            (large, f"are larger and reduced to {image_size} pixels"),
            (small, f"are smaller and enlarged to {image_size} pixels, which adds no detail"),
        )
        return [f"{number:,} {what}{of}" for number, what in done if number]


Roots = str | Path | Sequence[str | Path]


def list_images(root: Roots, labelled: bool | None) -> tuple[FolderIndex, str | None]:
    """Return the images of a folder and, where its folders are no classes, why.

    Args:
        root: the folder.
        labelled: True insists on classes, False takes none, None takes them if there are some.

    Raises:
        FileNotFoundError, ValueError: see :func:`mmcgan.datasets.sets.scan.scan_folder`.
    """
    if labelled is False:
        return scan_folder(root, labelled=False, skip=True), "you said so (--unlabelled)"
    try:
        return scan_folder(root, labelled=True, skip=True), None
    except ValueError as error:
        if labelled:
            raise
        reason = str(error)
    return scan_folder(root, labelled=False, skip=True), reason.partition(". ")[0].partition("; ")[0]


def survey(root: Roots, labelled: bool | None = None, looked_at: int = LOOKED_AT) -> Survey:
    """Look at the images of a folder.

    Args:
        root: the folder, a zip archive, or several.
        labelled: see :func:`list_images`.
        looked_at: how many are decoded, at most; which ones depends on their number alone.

    Raises:
        FileNotFoundError, ValueError: no folder, no images, or none that can be read.
    """
    index, why = list_images(root, labelled)
    several = not isinstance(root, str | Path)
    name = " and ".join(map(str, root)) if isinstance(root, Sequence) and several else root
    counts = index.class_counts()
    classes = None if counts is None else dict(zip(index.classes or (), counts, strict=True))
    reasons = [str(reason) for reason in index.left_out.reasons]
    paths = index.paths
    return _looked(str(name), len(paths), paths.__getitem__, classes, why, reasons, looked_at)


def survey_dataset(dataset: Any, name: str, looked_at: int = LOOKED_AT) -> Survey:
    """Look at the images of a data set: as they are stored, where it has ``source``, else as they come out.

    Args:
        dataset: see :class:`~mmcgan.datasets.base.GANDataset`.
        name: what to call it.
        looked_at: see :func:`survey`.

    Raises:
        ValueError: none can be read.
    """
    known = dataset.metainfo
    counts, names = known.get("class_counts"), known.get("classes")
    classes = None if counts is None or names is None else dict(zip(names, counts, strict=True))
    why = None if classes is not None else "the data set has none"
    left_out = dataset.left_out
    reasons = [] if left_out is None else [str(reason) for reason in left_out.reasons]
    stored = dataset.source or (lambda row: dataset.__getitems__([row])["image"][0])
    return _looked(name, len(dataset), stored, classes, why, reasons, looked_at)


def _looked(
    name: str,
    count: int,
    stored: Callable[[int], Source | torch.Tensor],
    classes: dict[str, int] | None,
    why: str | None,
    left_out: list[str],
    looked_at: int,
) -> Survey:
    """Return what is found of images, a few of which are decoded."""
    rows = list(range(count))
    if count > looked_at:
        drawn = torch.randperm(count, generator=make_generator(0, "images of a survey"))[:looked_at]
        rows = sorted(drawn.tolist())
    found = _Found()
    with progress_bar("Looking at images", len(rows)) as advance:
        for row in rows:
            found.add(stored, row)
            advance()
    if not found.sides:
        raise ValueError(f"{name}: none of its images can be read: {'; '.join(found.unreadable[:3])}")
    ordered = sorted(found.sides)
    return Survey(
        name,
        count,
        classes,
        why,
        len(rows),
        (ordered[0], int(median(ordered)), ordered[-1]),
        found.squares / len(ordered),
        found.grays / len(ordered),
        dict(found.conversions),
        found.unreadable,
        near_duplicates(found.hashes, found.small),
        left_out,
        tuple(found.sides),
    )


class _Found:
    """What is counted while images are looked at."""

    def __init__(self) -> None:
        self.sides: list[int] = []
        self.hashes: list[int] = []
        self.small: list[np.ndarray] = []
        self.squares = self.grays = 0
        self.conversions: Counter[str] = Counter()
        self.unreadable: list[str] = []

    def add(self, stored: Callable[[int], Source | torch.Tensor], row: int) -> None:
        """Look at one image."""
        try:
            source = stored(row)
            if isinstance(source, torch.Tensor):
                decoded = Image.fromarray(source.permute(1, 2, 0).contiguous().numpy())
                width, height = decoded.size
            else:
                width, height = image_size(source)
                self.conversions.update(conversions_of(source))
                decoded = read_rgb(source, 64)
            small = decoded.resize((9, 8), Image.Resampling.BOX)
        except BadImageError as error:
            self.unreadable.append(str(error))
            return
        self.sides.append(min(width, height))
        self.squares += width == height
        pixels = np.asarray(small).astype(np.int16)
        self.grays += int((pixels.max(-1) - pixels.min(-1)).max() <= GRAY_LEVELS)
        self.hashes.append(difference_hash(pixels))
        self.small.append(pixels.flatten())


def conversions_of(path: Source) -> list[str]:
    """Return what is done to an image file that is no 8-bit RGB, as phrases behind a number of images.

    Raises:
        BadImageError: it cannot be opened.
    """
    with open_checked(path) as image:
        mode = image.mode
        found = []
        if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
            found.append("with transparency, which is laid over white")
        if mode in ("1", "L", "LA", "La") or mode.startswith("I;16"):
            found.append("gray, which get three equal channels")
        if mode.startswith("I"):
            found.append("of 16 bits, which are divided by 257")
        if mode in ("P", "PA"):
            found.append("with a palette, which is looked up")
        if mode == "CMYK":
            found.append("in CMYK, which are converted without a colour profile")
        return found


def difference_hash(pixels: np.ndarray) -> int:
    """Return 64 bits that say where levels (8, 9, 3) grow to the right: of copies the same."""
    level = pixels.sum(-1)
    bits = (level[:, 1:] > level[:, :-1]).flatten()
    return int(np.packbits(bits).view(">u8")[0])


def near_duplicates(hashes: Sequence[int], small: Sequence[np.ndarray]) -> int:
    """Return how many images show what an earlier one shows.

    Hashes differ in ``SAME_BITS`` bits at most and levels by ``SAME_LEVELS`` on average: the first alone
    takes all flat pictures for one, the second alone those of one light.

    Args:
        hashes: of :func:`difference_hash`.
        small: the levels (216,) of which they are.
    """
    if not hashes:
        return 0
    values, levels = np.array(hashes, dtype=np.uint64), np.stack(small)
    found = 0
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        different = np.bitwise_xor(block[:, None], values[None, : start + len(block)])
        bits = np.unpackbits(different.view(np.uint8).reshape(*different.shape, 8), axis=-1).sum(-1)
        earlier = np.arange(start + len(block))[None] < (start + np.arange(len(block)))[:, None]
        later, first = np.nonzero((bits <= SAME_BITS) & earlier)
        away = np.abs(levels[start + later] - levels[first]).mean(-1)
        found += len(np.unique(later[away <= SAME_LEVELS]))
    return found
