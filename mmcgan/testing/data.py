"""Checks of data sets."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from mmcgan.registry import DATASETS
from mmcgan.structures import height_and_width
from mmcgan.testing.requirements import built, require


def check_dataset(dataset: Any, settings: Mapping[str, Any] | None = None) -> None:
    """Check a data set: items, determinism, and that ``facts`` and ``metainfo`` agree with it.

    A set of conditions to evaluate with has ``latent`` in place of ``image``.

    Args:
        dataset: built, or its config.
        settings: of the constructor, for ``facts``; those of the config by default.

    Raises:
        CheckError: names what is wrong.
    """
    found = built(DATASETS, dataset)
    name = type(found).__name__
    if settings is None:
        settings = {k: v for k, v in dataset.items() if k != "type"} if isinstance(dataset, Mapping) else {}
    require(len(found) > 0, f"{name} is empty")
    rows = [0, len(found) - 1]
    first, second = found.__getitems__(rows), found.__getitems__(rows)
    shown = "latent" if "latent" in first and "image" not in first else "image"
    require(shown in first, f"{name}: items have no image, only {sorted(first)}")
    for key, value in first.items():
        require(len(value) == len(rows), f"{name}: {key} has {len(value)} rows for {len(rows)} items")
        require(torch.equal(value, second[key]), f"{name}: {key} of an item differs from call to call")
    one = found[0]
    require(
        torch.equal(torch.as_tensor(one[shown]), first[shown][0]), f"{name}: [0] is not the first of [[0]]"
    )
    if shown == "latent":
        latent = first["latent"]
        good = latent.dtype == torch.float32 and latent.ndim == 2
        require(good, f"{name}: latents are {latent.dtype} {tuple(latent.shape)}, not float32 (N, D)")
        return
    _check_images(found, name, first, settings)


def _check_images(
    found: Any, name: str, first: Mapping[str, torch.Tensor], settings: Mapping[str, Any]
) -> None:
    kind, image = type(found), first["image"]
    require(
        image.dtype == torch.uint8 and image.shape[:2] == (2, 3),
        f"{name}: images are {image.dtype} {tuple(image.shape)}, not uint8 (N, 3, H, W)",
    )
    facts = kind.facts(**settings)
    takes, told = (inspect.signature(asked).parameters for asked in (kind, kind.facts))
    missing = sorted(set(takes) - set(told))
    whole = any(parameter.kind is parameter.VAR_KEYWORD for parameter in told.values())  # the base's
    require(not facts or whole or not missing, f"{name}: facts() lacks the constructor's {missing}")
    if "image_size" in facts:
        sides = height_and_width(facts["image_size"])
        require(
            tuple(image.shape[2:]) == sides,
            f"{name}: images are {tuple(image.shape[2:])}, facts() says {sides}",
        )
    if facts.get("num_classes") and "label" in first:
        top = facts["num_classes"]
        require(bool((first["label"] < top).all()), f"{name}: a label is not below num_classes={top}")
    if facts.get("num_classes") is not None and "num_classes" in found.metainfo:
        require(found.metainfo["num_classes"] == facts["num_classes"], f"{name}: metainfo and facts() differ")
