"""What training will see of a folder: a grid of images as they are read, and what was done to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mmcgan.datasets.decode import BadImageError, ImageReader
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import scan_folder
from mmcgan.output_paths import check_output, check_outside
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.proposal.survey import Roots, Survey, survey, survey_dataset

ROWS, COLUMNS = 6, 10


def preview(
    folder: Roots,
    out: str | Path,
    image_size: int,
    labelled: bool | None = None,
    overwrite: bool = False,
) -> Survey:
    """Write a picture of images as training reads them and return what is known of all.

    With classes, a row shows one of them, the largest first; without, images are chosen evenly, in the order
    of their files. What cannot be read is a gray square.

    Args:
        folder: of images, a zip archive, or several.
        out: PNG to write.
        image_size: as the config has it.
        labelled: see :func:`mmcgan.proposal.survey.list_images`.
        overwrite: replace the picture.

    Raises:
        FileExistsError: the picture is there and ``overwrite`` is off.
        FileNotFoundError, ValueError: no folder, no images, one that cannot be read, or a picture that would
            lie among them.
    """
    path = _checked(out, overwrite)
    check_outside(path, "--out", [folder] if isinstance(folder, str | Path) else folder)
    seen = survey(folder, labelled)
    # a training stops at images of formats that are not read; here the others are shown, and these named
    index = scan_folder(folder, labelled=seen.classes is not None, skip=True)
    _draw(FileDataset(index, ImageReader(image_size), False, ()), path)
    return seen


def preview_dataset(dataset: Any, name: str, out: str | Path, overwrite: bool = False) -> Survey:
    """Do the same for a data set, such as that of a config: in the order of its rows.

    Args:
        dataset: gives images as training reads them.
        name: what to call it.
        out, overwrite: see :func:`preview`.

    Raises:
        FileExistsError: the picture is there and ``overwrite`` is off.
        ValueError: no image can be read.
    """
    path = _checked(out, overwrite)
    seen = survey_dataset(dataset, name)
    _draw(dataset, path)
    return seen


def _checked(out: str | Path, overwrite: bool) -> Path:
    path = Path(out)
    check_output(path, "--out", (".png",))
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another --out or give --overwrite")
    return path


def _draw(images: Any, path: Path) -> None:
    rows, columns = _shown(images)
    found = [_read(images, row) for row in rows]
    shape = next((picture.shape for picture in found if picture is not None), (1, 3, 1, 1))
    gray = torch.full(shape, 127.5)
    pictures = torch.cat([gray if picture is None else picture for picture in found]) / 127.5 - 1
    missing = -len(pictures) % columns
    blank = pictures.new_full((missing, *pictures.shape[1:]), -1.0)
    write_png(contact_sheet(torch.cat([pictures, blank]), columns), path)


def _read(images: Any, row: int) -> torch.Tensor | None:
    """Return an image (1, 3, H, W) as levels; None where it cannot be read."""
    try:
        return images.__getitems__([row])["image"].float()
    except BadImageError:
        return None


def _shown(images: Any) -> tuple[list[int], int]:
    """Return the images to show and how many stand in a row."""
    if images.labels is None:
        step = max(1, len(images) // (ROWS * COLUMNS))
        return list(range(0, len(images), step))[: ROWS * COLUMNS], min(COLUMNS, len(images))
    counts = torch.bincount(images.labels)
    largest = counts.argsort(descending=True, stable=True)[:ROWS].tolist()
    rows = [(images.labels == label).nonzero().flatten().tolist()[:COLUMNS] for label in largest]
    width = max(map(len, rows))
    # a class with fewer images begins again, so that rows stay rows
    return [own[place % len(own)] for own in rows for place in range(width)], width
