"""Images of one's own with attributes from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcgan.attributes import attribute_facts
from mmcgan.datasets.attributes.attribute_table import AttributeTable, read_attribute_table
from mmcgan.datasets.attributes.base import AttributeImages, kept_rows
from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import FolderIndex
from mmcgan.registry import DATASETS


@DATASETS.register_module()
class AttributeFolder(AttributeImages, FileDataset):
    """Image files under ``root`` with the attributes that a table gives them (CelebA and the like).

    Args:
        root: folder that the file names of the table start from.
        table: CSV, TSV, JSON or CelebA's ``list_attr_celeba.txt``; see
            :func:`~mmcgan.datasets.attributes.attribute_table.read_attribute_table`.
        image_size, fit, interpolation: see :class:`~mmcgan.datasets.decode.ImageReader`.
        groups: which columns make which group; None takes all columns as they are.
        split: keep the rows with this in the table's column ``split``.
        leave_out: combinations whose images are left out, such as ``[dict(hair="gray", glasses="yes")]``.
        in_memory: decode everything at the start and keep it as uint8.
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: the table, or an image that it names, is missing.
        ValueError: a mistake in the table, with file, row and column.
        BadImageError: an unreadable image, when it is decoded.
    """

    disk_arguments = ("root", "table")

    def __init__(
        self,
        root: str,
        table: str,
        image_size: int,
        groups: Mapping[str, Any] | None = None,
        split: str | None = None,
        leave_out: Sequence[Mapping[str, Any]] = (),
        fit: str = "crop_long_side",
        interpolation: str = "bilinear",
        in_memory: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        reader = ImageReader(image_size, fit, interpolation)
        read, kept = _read(table, groups, split, leave_out)
        files = [Path(root) / read.files[row] for row in kept]
        missing = [path for path in files if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{table}: {missing[0].name!r} is not under {root!r} ({len(missing)} of {len(files)} images)"
            )
        super().__init__(FolderIndex([str(path) for path in files], None, None), reader, in_memory, pipeline)
        self.set_attributes(read.groups, read.attributes[kept])
        self.split = split

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the image size, the attribute groups and the images of every combination, from the table."""
        ImageReader(given.image_size, given.fit, given.interpolation)  # checks the options
        read, kept = _read(given.table, given.groups, given.split, given.leave_out)
        return attribute_facts(read.groups, read.attributes[kept], given.image_size)

    @classmethod
    def stand_in(cls, config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config of a set with attributes in place of ``config``, whose files are absent."""
        return dict(type="TwoDomainDigits", split="test", image_size=facts["image_size"])


def _read(
    table: str,
    groups: Mapping[str, Any] | None,
    split: str | None,
    leave_out: Sequence[Mapping[str, Any]],
) -> tuple[AttributeTable, list[int]]:
    read = read_attribute_table(table, groups, split)
    return read, kept_rows(read.groups, read.attributes, leave_out, table).tolist()
