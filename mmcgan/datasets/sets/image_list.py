"""The images that a text file names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import FolderIndex
from mmcgan.datasets.sets.walk import listed_files
from mmcgan.registry import DATASETS
from mmcgan.text_files import printable, read_names


@DATASETS.register_module()
class ImageList(FileDataset):
    """Unlabelled images, one path a line, such as the splits of ``mmcgan coco-stuff-split``.

    Args:
        root: folder that the paths start from.
        names: text file of paths.
        image_size, fit, interpolation: see :class:`~mmcgan.datasets.decode.ImageReader`.
        in_memory: decode everything at the start and keep it as uint8.
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: the text file, the folder or an image that it names is missing.
        ValueError: the text file names no image.
    """

    disk_arguments = ("root", "names")

    def __init__(
        self,
        root: str,
        names: str,
        image_size: int,
        fit: str = "crop_long_side",
        interpolation: str = "bilinear",
        in_memory: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        reader = ImageReader(image_size, fit, interpolation)
        for path, what in ((Path(root), "root"), (Path(names), "names")):
            if not path.exists():
                raise FileNotFoundError(f"ImageList: {what}={printable(path)} does not exist")
        paths = [str(Path(root) / line) for line in read_names(names)]
        if not paths:
            raise ValueError(f"ImageList: {printable(names)} names no image")
        paths = listed_files(paths, names)
        super().__init__(FolderIndex(paths, None, None), reader, in_memory, pipeline)

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the image size and that there are no classes; needs no files."""
        ImageReader(given.image_size, given.fit, given.interpolation)  # checks the options
        return dict(num_classes=0, image_size=given.image_size)
