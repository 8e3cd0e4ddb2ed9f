"""Transforms, and what joins items to a batch, tried on made-up images of the size of the data set's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from mmcgan import registry as r
from mmcgan.condition_fields import made_up_condition, told_fields
from mmcgan.contracts import declared
from mmcgan.datasets.base import GANDataset, ImageDataset
from mmcgan.datasets.pipeline import Pipeline
from mmcgan.structures import height_and_width

#: items of a batch, and their height and width where nobody knows the data set's
ITEMS, UNKNOWN_SIZE = 2, 8
#: and what they are made up at, at most
LARGEST_MADE_UP = 2048


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
    size = _facts(component, settings).get("image_size")
    size = settings.get("image_size") if size is None else size
    return size if isinstance(size, int) else None


def _facts(component: Any, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a data set tells; nothing if it does not tell without its files."""
    facts = declared(component, "facts")
    try:
        known = None if facts is None else facts(**settings)
    except (OSError, ValueError, TypeError):
        return {}  # said elsewhere
    return known if isinstance(known, Mapping) else {}


def joining_trial(loader: Mapping[str, Any]) -> Callable[[], object] | None:
    """Return what joins made-up items of training, as data sets of ours return them; None for another set."""
    join, dataset = loader.get("collate_fn"), loader.get("dataset")
    kind = r.DATASETS.get(str(dataset.get("type"))) if isinstance(dataset, Mapping) else None
    ours = isinstance(kind, type) and issubclass(kind, GANDataset)
    if not ours or not isinstance(join, Mapping) or not isinstance(join.get("type"), str):
        return None
    function = r.FUNCTIONS.get(join["type"])
    settings = {key: value for key, value in (dataset or {}).items() if key != "type"}
    return None if function is None else lambda: _join(function, join, _items(_facts(kind, settings)))


def _items(facts: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return made-up items of a data set: images, and the fields of the condition of which its facts tell."""
    sides = _sides(facts.get("image_size"))
    fields = {name: size for name, size in told_fields(facts).items() if name != "label"}
    made = made_up_condition(tuple(fields), ITEMS, fields.__getitem__, sides, Generator().manual_seed(0))
    labelled = facts.get("num_classes") != 0  # or nobody knows
    label = {"label": torch.zeros(ITEMS, dtype=torch.int64)} if labelled else {}
    return {"image": torch.zeros(ITEMS, 3, *sides, dtype=torch.uint8), **label, **made.present()}


def _sides(image_size: Any) -> tuple[int, int]:
    """Return height and width of made-up images of a size, if it is one."""
    try:
        height, width = height_and_width(image_size)
    except (ValueError, TypeError):
        return UNKNOWN_SIZE, UNKNOWN_SIZE  # said elsewhere
    return min(height, LARGEST_MADE_UP), min(width, LARGEST_MADE_UP)


def _join(function: Any, settings: Mapping[str, Any], items: Mapping[str, Tensor]) -> None:
    """Join the items of a batch, which data sets of ours hand over as one dict.

    A name that made-up items lack may be in those of the set, which says so when they are read.

    Raises:
        ValueError: nothing with images comes out.
    """
    given = {key: value for key, value in settings.items() if key != "type"}
    try:
        batch = function(dict(items), **given)
    except Exception as error:  # a function of somebody's, which meets what it is not made for
        if isinstance(error, KeyError) and _may_be_there(error, items):
            return
        raise ValueError(
            f"{settings['type']} cannot take the dict of tensors that data sets of mmcgan return: "
            "use gan_collate"
        ) from error
    if not isinstance(batch, Mapping) or "image" not in batch:
        raise ValueError(f"{settings['type']} returns no dict with 'image', got {type(batch).__name__}")


def _may_be_there(error: KeyError, items: Mapping[str, Tensor]) -> bool:
    """Return whether what was looked for is the name of something else that items can have."""
    return bool(error.args) and isinstance(error.args[0], str) and error.args[0] not in items
