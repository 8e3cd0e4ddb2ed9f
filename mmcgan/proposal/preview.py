"""What training will see of a folder: a grid of images as they are read, and what was done to them."""

from __future__ import annotations

from pathlib import Path

import torch

from mmcgan.datasets.decode import BadImageError
from mmcgan.datasets.sets.folder import ImageFolder
from mmcgan.output_paths import check_output
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.proposal.survey import Survey, survey

ROWS, COLUMNS = 6, 10


def preview(
    folder: str | Path,
    out: str | Path,
    image_size: int,
    labelled: bool | None = None,
    overwrite: bool = False,
) -> Survey:
    """Write a picture of images as training reads them and return what is known of all.

    With classes, a row shows one of them, the largest first; without, images are chosen evenly, in the order
    of their files. What cannot be read is a gray square.

    Args:
        folder: of images.
        out: PNG to write.
        image_size: as the config has it.
        labelled: see :func:`mmcgan.proposal.survey.list_images`.
        overwrite: replace the picture.

    Raises:
        FileExistsError: the picture is there and ``overwrite`` is off.
        FileNotFoundError, ValueError: no folder, no images, or one that cannot be read.
    """
    path = Path(out)
    check_output(path, "--out", (".png",))
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another --out or give --overwrite")
    seen = survey(folder, labelled)
    images = ImageFolder(str(folder), image_size, labelled=seen.classes is not None)
    rows, columns = _shown(images)
    pictures = torch.cat([_read(images, row) for row in rows]) / 127.5 - 1
    missing = -len(pictures) % columns
    blank = pictures.new_full((missing, *pictures.shape[1:]), -1.0)
    write_png(contact_sheet(torch.cat([pictures, blank]), columns), path)
    return seen


def _read(images: ImageFolder, row: int) -> torch.Tensor:
    """Return an image (1, 3, H, W) as levels; a gray one in the place of one that cannot be read."""
    try:
        return images.__getitems__([row])["image"].float()
    except BadImageError:
        return torch.full((1, 3, images.image_size, images.image_size), 127.5)


def _shown(images: ImageFolder) -> tuple[list[int], int]:
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
