"""A generator to be called from other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmcgan.apis.drawing import BATCH, Draw, all_images
from mmcgan.apis.given_conditions import Given, given_conditions
from mmcgan.apis.instance_sampling import InstanceOptions
from mmcgan.apis.planning import Asked, planned
from mmcgan.apis.views import checked_view, find_view
from mmcgan.pictures import levels
from mmcgan.zoo.models import LoadedModel, given_model

RETURNS = ("pil", "numpy", "tensor")
Images = list[Image.Image] | np.ndarray | Tensor


class CGANInferencer:
    """Samples a trained generator, call after call.

    Image i of a call depends on the seed, its condition and i alone, and is that of ``mmcgan sample`` with
    the same seed, label and i; not on the number of images or the batch size.

    Args:
        model: name of a shipped model, config, or file of weights (:func:`mmcgan.apis.load_model`).
        checkpoint: weights for a config.
        device: where to compute; by default where the weights were loaded to.
        options: values by dotted path, for a config.

    Raises:
        FileNotFoundError: nothing of that name.
        ValueError: weights that do not fit, options without a config, or either for a model that is loaded.

    Examples:
        >>> digits = CGANInferencer("omnigan_biggan_digits-16")
        >>> digits([3, 5], seed=0, return_type="numpy").shape
        (2, 16, 16, 3)
    """

    def __init__(
        self,
        model: str | Path | LoadedModel,
        checkpoint: str | Path | None = None,
        device: torch.device | str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.loaded = given_model(model, checkpoint, options)
        if device is not None:
            self.loaded.model.to(device)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes, where they are known."""
        return self.loaded.record.classes

    def __call__(
        self,
        labels: Sequence[int | str] | int | str | None = None,
        num: int | None = None,
        *,
        instances: Sequence[str | Path] | Tensor | None = None,
        seed: int = 0,
        truncation: float | None = None,
        batch_size: int = BATCH,
        return_type: str = "pil",
        size: Sequence[int] | int | None = None,
        window: Sequence[int] | None = None,
        label_maps: Sequence[str | Path] | Tensor | None = None,
        attributes: Mapping[str, Any] | None = None,
        codes: Mapping[str, Sequence[float | None]] | None = None,
        conditions: Given | None = None,
    ) -> Images:
        """Return ``num`` images.

        Args:
            labels: class numbers or names, taken in turn; by default every class in turn, or what comes
                with a drawn instance.
            num: number of images; by default one for each label, instance, label map or combination of
                attributes given, else one.
            instances: photos (files or folders) or features (K, F) to condition on, taken in turn; by
                default drawn as in training.
            seed: of latents and drawn instances.
            truncation: as in :func:`mmcgan.apis.sample`.
            batch_size: images made at a time.
            return_type: ``pil``, a list of pictures; ``numpy``, uint8 (num, H, W, 3); ``tensor``, float32
                (num, 3, H, W) in [-1, 1].
            size: height and width (or one number) of the images, for a model with an implicit output layer.
            window: top, left, height and width of the part of them to render.
            label_maps: class ids int64 (K, H, W), or pictures of them (files, folders), to paint in turn; by
                default those of the data that was held out from training.
            attributes, codes, conditions: as in :func:`mmcgan.apis.sample`.

        Raises:
            FileNotFoundError: a photo or label map is not there.
            ValueError: a number below 1, an unknown label or return type, a condition that the model does not
                take, or a size that it cannot make or that memory does not hold.
        """
        _check_numbers(return_type, num, batch_size)
        draw = Draw(self.loaded, seed, truncation, codes, given_conditions(self.loaded, conditions))
        draw.check()
        given = [labels] if isinstance(labels, int | str) else labels
        maps = () if label_maps is None else label_maps
        asked = Asked(given, attributes, _instances(instances), maps)
        asked.check(self.loaded)
        count = max([asked.longest, *map(len, draw.given.values())])
        plan = planned(draw, asked, num, count).plan
        view = checked_view(self.loaded.model.generator, find_view(size, window), self.loaded.name, plan.size)
        return convert(all_images(draw, plan, view, batch_size), return_type)


def _instances(given: Sequence[str | Path] | Tensor | None) -> InstanceOptions | Tensor | None:
    if given is None or isinstance(given, Tensor):
        return given
    return InstanceOptions([str(each) for each in given])


def convert(images: Tensor, return_type: str) -> Images:
    """Return images (N, 3, H, W) in [-1, 1] as :class:`CGANInferencer` is asked to."""
    if return_type == "tensor":
        return images
    array = levels(images).contiguous().numpy()
    return array if return_type == "numpy" else [Image.fromarray(picture) for picture in array]


def _check_numbers(return_type: str, num: int | None, batch_size: int) -> None:
    if return_type not in RETURNS:
        raise ValueError(f"return_type={return_type!r}: choose one of {', '.join(RETURNS)}")
    if batch_size < 1 or (num is not None and num < 1):
        raise ValueError(f"num and batch_size must be at least 1, got {num} and {batch_size}")
