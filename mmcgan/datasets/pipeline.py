"""mmcv transforms on single images, with random draws that do not depend on the worker."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmcgan.datasets.order import drawn
from mmcgan.random import derive_seed
from mmcgan.registry import TRANSFORMS


@contextmanager
def seeded_globals(seed: int) -> Iterator[None]:
    """Seed the global generators of random, numpy and torch, and restore them afterwards.

    mmcv transforms draw from the global generators; this confines them.
    """
    python_state, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)


class Pipeline:
    """Apply transforms to each image of a batch.

    A transform receives MMCV's dict: ``img`` uint8 (H, W, 3) in RGB order, ``img_shape``,
    ``ori_shape`` and, when labelled, ``gt_label``. Its random draws are seeded by (seed, position) of
    the :class:`~mmcgan.datasets.order.Draw`, so that they depend neither on the workers nor on
    where a run was resumed; a plain index is its own position.

    Args:
        transforms: configs for the TRANSFORMS registry.
        image_size: height and width that must come out.

    Raises:
        KeyError: an unknown transform.
    """

    def __init__(self, transforms: Sequence[dict[str, Any]], image_size: int) -> None:
        importlib.import_module("mmcgan.datasets.transforms")  # mmcv takes a while: only when used
        self.transforms = [TRANSFORMS.build(dict(config)) for config in transforms]
        self.image_size = image_size

    def __call__(self, batch: dict[str, Tensor], indices: Sequence[int]) -> dict[str, Tensor]:
        """Transform a batch of ``image`` uint8 (N, 3, H, W) and optional ``label`` (N,).

        Raises:
            ValueError: a transform returns None, another size or another type.
        """
        images = [self._one(batch, row, index) for row, index in enumerate(indices)]
        return {**batch, "image": torch.stack(images)}

    def _one(self, batch: dict[str, Tensor], row: int, index: int) -> Tensor:
        array = batch["image"][row].permute(1, 2, 0).contiguous().numpy()
        results: dict[str, Any] = dict(img=array, img_shape=array.shape[:2], ori_shape=array.shape[:2])
        if "label" in batch:
            results["gt_label"] = int(batch["label"][row])
        draw = drawn(index)
        with seeded_globals(derive_seed(draw.seed, "pipeline", draw.position)):
            for transform in self.transforms:
                results = self._checked(transform(results), transform)
        image = np.ascontiguousarray(results["img"])
        expected = (self.image_size, self.image_size, 3)
        if image.shape != expected or image.dtype != np.uint8:
            raise ValueError(
                f"pipeline: images must come out as uint8 {expected}, got {image.dtype} {image.shape}; "
                "end with dict(type='Resize', scale=(size, size)) and leave scaling to the model"
            )
        return torch.from_numpy(image).permute(2, 0, 1)

    @staticmethod
    def _checked(results: Any, transform: Any) -> dict[str, Any]:
        if not isinstance(results, dict):
            raise ValueError(
                f"pipeline: {type(transform).__name__} returned {type(results).__name__}, not a dict"
            )
        return results
