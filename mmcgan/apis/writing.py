"""A folder of samples, written while the next ones are computed, and the sheets that stand beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmcgan.apis.drawing import BATCH, Plan
from mmcgan.apis.views import shrunk
from mmcgan.checkpoints.atomic import write_file
from mmcgan.pictures import contact_sheet, encode_png, levels, write_png

GRID, NEAREST = "grid", "nearest"
#: images on a sheet, at most; more are not looked at one by one
SHEET_IMAGES = 400
#: wider rows than this are broken
WIDEST = 40
NUMBERED = re.compile(r"\d{5,}(_.*)?\.png")
#: encoders at work; more than a few only wait for the disk
THREADS = 4
#: images that wait to be encoded, at most
QUEUE = 256


def sheet_of(folder: Path, kind: str) -> Path:
    """Return the file of a sheet, beside the folder of samples: ``samples.grid.png`` of ``samples``."""
    absolute = folder.resolve()
    parent = absolute.parent if folder.name in ("", "..") else folder.parent
    return parent / f"{absolute.name}.{kind}.png"


def refuse_existing(folder: Path, sheets: Iterable[Path]) -> None:
    """Raise FileExistsError if the folder holds samples or a sheet is there; nothing is written."""
    found = [file for file in sheets if file.exists()]
    if folder.is_dir():
        names = [entry.name for entry in os.scandir(folder) if NUMBERED.fullmatch(entry.name)]
        found += [folder / name for name in sorted(names)[:1]]
    if found:
        raise FileExistsError(f"{found[0]} exists; choose another --out or give --overwrite")


def refuse_others(folder: Path, plan: Plan) -> None:
    """Refuse to write into a folder with earlier samples that stay: they would count among the new ones.

    Raises:
        FileExistsError: names one, and says how many there are.
    """
    there = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
    there = {name for name in there if NUMBERED.fullmatch(name)}
    for start in range(0, plan.size if there else 0, BATCH):
        rows = range(start, min(start + BATCH, plan.size))
        plan.batch(rows)  # the name of an image whose label is drawn is known from then on
        there -= {f"{plan.name(row)}.png" for row in rows}
    if there:
        raise FileExistsError(
            f"{folder / min(there)} and {len(there) - 1} other samples in that folder would not be replaced, "
            "and would be taken for samples of now; choose another --out or remove them"
        )


class PictureWriter:
    """Encodes and writes pictures in threads, with a bound on what waits.

    A file appears under its name when it is whole. Unlike checkpoints, samples can be made again: their bytes
    are left to the system to bring to the disk.
    """

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._pending: list[Future[None]] = []

    def write(self, image: np.ndarray, path: Path) -> None:
        """Write a uint8 picture (H, W, 3) as PNG, some time soon.

        Raises:
            OSError: an earlier one could not be written.
        """
        if len(self._pending) >= QUEUE:
            self.wait(QUEUE // 2)
        self._pending.append(self._pool.submit(_encode_and_write, image, path))

    def wait(self, count: int | None = None) -> None:
        """Wait for the oldest ``count`` pictures, by default all.

        Raises:
            OSError: one of them could not be written.
        """
        done, self._pending = self._pending[:count], self._pending[len(self._pending[:count]) :]
        for future in done:
            future.result()


@contextmanager
def picture_writer() -> Iterator[PictureWriter]:
    """Give a :class:`PictureWriter`; all pictures are written at the end."""
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        writer = PictureWriter(pool)
        try:
            yield writer
            writer.wait()
        finally:
            pool.shutdown(cancel_futures=True)


def _encode_and_write(image: np.ndarray, path: Path) -> None:
    write_file(path, encode_png(image, quickly=True), durable=False)


class Shown:
    """Images in the size of a sheet.

    Attributes:
        columns: of the sheet of all.
        count: how many of the first images it shows.
    """

    def __init__(self, images: dict[int, Tensor], columns: int, count: int) -> None:
        self._images, self.columns, self.count = images, columns, count

    def rows(self, rows: Iterable[int]) -> Tensor:
        """Return images (N, 3, H, W) by row."""
        return torch.cat([self._images[row] for row in rows])

    def first(self) -> Tensor:
        """Return the images of the sheet, (N, 3, H, W)."""
        return self.rows(range(self.count))

    def write_sheet(self, path: Path) -> None:
        """Write the sheet of all."""
        sheet = self.first()
        missing = -len(sheet) % self.columns
        padded = torch.cat([sheet, sheet.new_full((missing, *sheet.shape[1:]), -1.0)])
        write_png(contact_sheet(padded, self.columns), path)


def write_images(batches: Iterable[Tensor], plan: Plan, folder: Path, kept: Iterable[int] = ()) -> Shown:
    """Write images as they come.

    Args:
        batches: all images of ``plan``, (n, 3, H, W) at a time.
        plan: gives their names.
        folder: to write to.
        kept: rows to keep for another sheet, beside those of the first.

    Returns:
        The images to be shown on sheets, in the size of a sheet.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns, count = sheet_shape(plan)
    wanted, first = {*range(count), *kept}, 0
    shown: dict[int, Tensor] = {}
    with picture_writer() as writer:
        for images in batches:
            for row, picture in enumerate(levels(images).contiguous().numpy(), first):
                writer.write(picture, folder / f"{plan.name(row)}.png")
            last = first + len(images)
            shown |= {row: shrunk(images[row - first][None]) for row in range(first, last) if row in wanted}
            first = last
    return Shown(shown, columns, count)


def sheet_shape(plan: Plan) -> tuple[int, int]:
    """Return the columns of the sheet of a plan, and how many images it shows: whole rows, if not all."""
    columns = plan.columns if plan.columns <= WIDEST else int(SHEET_IMAGES**0.5)
    return columns, min(plan.size, max(1, SHEET_IMAGES // columns) * columns)
