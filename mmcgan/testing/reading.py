"""Checks of what stands between images on a disk and a batch: transforms and orders of reading."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from mmcgan.datasets.order import Draw, ResumableSampler
from mmcgan.datasets.pipeline import Pipeline
from mmcgan.registry import DATA_SAMPLERS, DATASETS
from mmcgan.testing.requirements import require, source

DRAWS = 60


def check_transform(transform: Mapping[str, Any], image_size: int = 16) -> None:
    """Check a step of a pipeline: uint8 images of a size, and randomness that the position decides alone.

    Args:
        transform: its config; where it changes the size of images, mmcv's ``Resize`` follows.
        image_size: side of the images.

    Raises:
        CheckError: names what is wrong.
    """
    name = str(transform["type"])
    resize = dict(type="Resize", scale=(image_size, image_size))
    steps = Pipeline([dict(transform), resize], image_size)
    shape = (3, 3, image_size, image_size)
    batch = {
        "image": torch.randint(0, 256, shape, dtype=torch.uint8, generator=source()),
        "label": torch.arange(3),
    }
    whole, given = [Draw(index, 10 + index, 5) for index in range(3)], batch["image"].clone()
    before = _global_randomness()
    try:
        first, second = steps(batch, whole), steps(batch, whole)
        alone = steps({key: value[1:2] for key, value in batch.items()}, whole[1:2])
    except (ValueError, KeyError, TypeError) as error:
        require(False, f"{name}: {error}")
        return
    require(before == _global_randomness(), f"{name} moves global randomness")
    require(torch.equal(given, batch["image"]), f"{name} changes the images that it is given in place")
    require(torch.equal(first["image"], second["image"]), f"{name}: one draw gives two images")
    require(
        torch.equal(alone["image"], first["image"][1:2]), f"{name}: an image depends on others of its batch"
    )
    require(torch.equal(first["label"], batch["label"]), f"{name} changes labels")


def _global_randomness() -> tuple[Any, ...]:
    """Return the state of the generators of Python, NumPy and torch."""
    of_numpy = np.random.get_state(legacy=False)
    return random.getstate(), str(of_numpy), torch.get_rng_state().tolist()


def check_data_sampler(sampler: Mapping[str, Any], dataset: Any = None) -> None:
    """Check an order of reading: indices of the set, the same again, and begun anywhere as if never stopped.

    Args:
        sampler: its config, without ``dataset``.
        dataset: that it reads, or its config; made-up images of three classes if None.

    Raises:
        CheckError: names what is wrong.
    """
    made_up = dict(type="SyntheticImages", num_classes=3, image_size=8, size=23)
    images = made_up if dataset is None else dataset
    images = DATASETS.build(dict(images)) if isinstance(images, Mapping) else images
    name, state = str(sampler["type"]), torch.get_rng_state()
    order, again, later = (DATA_SAMPLERS.build({**sampler, "dataset": images}) for _ in range(3))
    first, second = (list(itertools.islice(each, DRAWS)) for each in (order, again))
    require(torch.equal(state, torch.get_rng_state()), f"{name} draws from torch's global generator")
    require(bool(first), f"{name} gives no index")
    outside = [int(index) for index in first if not 0 <= index < len(images)]
    require(not outside, f"{name}: indices {outside[:3]} are outside 0..{len(images) - 1}")
    require([*map(int, first)] == [*map(int, second)], f"{name}: two samplers of one seed differ")
    if not isinstance(later, ResumableSampler):
        return
    later.start(DRAWS // 3)
    rest = list(itertools.islice(later, DRAWS - DRAWS // 3))
    require(
        [*map(int, rest)] == [*map(int, first[DRAWS // 3 :])],
        f"{name}: after start({DRAWS // 3}) it does not go on as if it had never stopped",
    )
