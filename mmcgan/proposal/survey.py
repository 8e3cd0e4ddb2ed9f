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

from mmcgan.datasets.decode import (
    TURNS,
    BadImageError,
    Source,
    image_size,
    name_of,
    open_checked,
    orientation,
    read_rgb,
    several_pictures,
)
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.datasets.sets.walk import LeftOut
from mmcgan.progress import progress_bar
from mmcgan.proposal.duplicates import near_duplicates
from mmcgan.random import make_generator
from mmcgan.text_files import in_one_line

#: images that are decoded to judge a set; more are drawn from
LOOKED_AT = 2000
#: lines about single images that are shown, and pairs that are alike
SHOWN, SHOWN_ALIKE = 10, 3
#: largest difference between the channels of a gray image, as compression leaves it
GRAY_LEVELS = 8


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
        alike: some of them, each with the other one.
        left_out: folders and files that were not taken, a line each.
        faults: those of them at which a training stops.
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
    alike: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
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
        such = f", such as {'; '.join(self.alike)}" if self.alike else ""
        found.append(f"{self.duplicates:,} show what another image shows{of}{such}")
        found += listed("cannot be read", self.unreadable)
        found += listed("left out", self.left_out)
        return list(map(in_one_line, found))

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


def listed(what: str, lines: Sequence[str]) -> list[str]:
    """Return the first of some lines to show, and how many more there are."""
    more = len(lines) - SHOWN
    return [f"{what}: {line}" for line in lines[:SHOWN]] + ([f"{what}: {more:,} more"] if more > 0 else [])


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
    paths = index.paths
    return _looked(str(name), len(paths), paths.__getitem__, classes, why, index.left_out, looked_at)


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
    stored = dataset.source or (lambda row: dataset.__getitems__([row])["image"][0])
    left_out = dataset.left_out or LeftOut()
    return _looked(name, len(dataset), stored, classes, why, left_out, looked_at)


def _looked(
    name: str,
    count: int,
    stored: Callable[[int], Source | torch.Tensor],
    classes: dict[str, int] | None,
    why: str | None,
    left_out: LeftOut,
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
    pairs = near_duplicates(found.small)
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
        len(pairs),
        [f"{found.names[later]} and {found.names[first]}" for later, first in pairs[:SHOWN_ALIKE]],
        list(left_out.reasons),
        list(left_out.faults),
        tuple(found.sides),
    )


class _Found:
    """What is counted while images are looked at."""

    def __init__(self) -> None:
        self.sides: list[int] = []
        self.names: list[str] = []
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
                name, (width, height) = f"image {row}", decoded.size
            else:
                name, (width, height) = name_of(source), image_size(source)
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
        self.names.append(name)
        self.small.append(pixels.flatten())


def conversions_of(path: Source) -> list[str]:
    """Return what is done to a file that is not one upright picture of 8-bit RGB: phrases behind a number.

    Raises:
        BadImageError: it cannot be opened.
    """
    with open_checked(path) as image:
        mode = image.mode
        found = []
        if several_pictures(image):
            found.append("hold several pictures, of which the first is taken")
        if orientation(image) in TURNS and image.format != "TIFF":
            found.append("are turned upright, as their camera noted")
        if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
            found.append("with transparency, which is laid over white")
        if mode in ("1", "L", "LA", "La") or mode.startswith("I"):
            found.append("gray, which get three equal channels")
        if mode.startswith("I"):
            found.append("of 16 bits, which are divided by 257")
        if mode in ("P", "PA"):
            found.append("with a palette, which is looked up")
        if mode in ("CMYK", "LAB", "HSV", "YCbCr"):
            found.append(f"in {mode}, which are converted without a colour profile")
        return found
