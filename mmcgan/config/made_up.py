"""Transforms, and what joins items to a batch, tried on made-up images of the size of the data set's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from mmcgan import registry as r
from mmcgan.contracts import declared
from mmcgan.datasets.base import GANDataset, ImageDataset
from mmcgan.datasets.pipeline import Pipeline

#: items of a batch, and their height and width where nobody knows the data set's
ITEMS, UNKNOWN_SIZE = 2, 8


def pipeline_trial(component: Any, settings: Mapping[str, Any]) -> Callable[[], object] | None:
    """Return what sends an image through the transforms of a data set, if it has any of ours."""
    transforms = settings.get("pipeline")
    if not transforms or not (isinstance(component, type) and issubclass(component, ImageDataset)):
        return None
    size = _image_size(component, settings)
    if size is None:
        return None

    def through() -> object:
        image = torch.zeros(1, 3, size, size, dtype=torch.uint8)
        label = torch.zeros(1, dtype=torch.int64)
        return Pipeline(transforms, size)({"image": image, "label": label}, [0])

    return through


def _image_size(component: Any, settings: Mapping[str, Any]) -> int | None:
    """Return the height and width of a data set's images; None if it does not tell without its files."""
    facts = declared(component, "facts")
    try:
        size = None if facts is None else facts(**settings).get("image_size")
    except (OSError, ValueError, TypeError):
        size = None  # said elsewhere
    size = settings.get("image_size") if size is None else size
    return size if isinstance(size, int) else None


def joining_trial(loader: Mapping[str, Any]) -> Callable[[], object] | None:
    """Return what joins made-up items of training, as data sets of ours return them; None for another set."""
    join, dataset = loader.get("collate_fn"), loader.get("dataset")
    kind = r.DATASETS.get(str(dataset.get("type"))) if isinstance(dataset, Mapping) else None
    ours = isinstance(kind, type) and issubclass(kind, GANDataset)
    if not ours or not isinstance(join, Mapping) or not isinstance(join.get("type"), str):
        return None
    function = r.FUNCTIONS.get(join["type"])
    return None if function is None else lambda: _join(function, join)


def _join(function: Any, settings: Mapping[str, Any]) -> None:
    """Join the items of a batch, which data sets of ours hand over as one dict.

    Raises:
        ValueError: nothing with images comes out.
    """
    image = torch.zeros(ITEMS, 3, UNKNOWN_SIZE, UNKNOWN_SIZE, dtype=torch.uint8)
    given = {key: value for key, value in settings.items() if key != "type"}
    try:
        batch = function({"image": image, "label": torch.zeros(ITEMS, dtype=torch.int64)}, **given)
    except Exception as error:  # a function of somebody's, which meets what it is not made for
        raise ValueError(
            f"{settings['type']} cannot take the dict of tensors that data sets of mmcgan return: "
            "use gan_collate"
        ) from error
    if not isinstance(batch, Mapping) or "image" not in batch:
        raise ValueError(f"{settings['type']} returns no dict with 'image', got {type(batch).__name__}")
