"""From images to L2-normalised features, block by block."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from mmcgan.datasets.decode import BadImageError
from mmcgan.extractors.base import Extractor
from mmcgan.precision import AUTO, bfloat16_is_fast, check_network_precision, choose, resolve

BLOCK_IMAGES = 256
PASS_IMAGES = 32
PROBE_IMAGES = 16
LEAST_COSINE = 0.9999
SMALL, LARGE = 1e-9, 1e15  # largest elements between which float32 can square


def extract(extractor: Extractor, image: Tensor, first: int = 0) -> Tensor:
    """Return the L2-normalised features of images, float32 (N, F); a zero one stays zero.

    Args:
        extractor: the network.
        image: uint8 (N, 3, H, W).
        first: number of the first image, for messages.

    Raises:
        ValueError: a feature is not finite; names the image.
    """
    # a few images at a time: the maps of a whole block would take gigabytes
    parts = [extractor(part).features.flatten(1) for part in image.split(PASS_IMAGES)]
    features = torch.cat(parts)
    bad = torch.nonzero(~torch.isfinite(features).all(dim=1)).flatten()
    if len(bad):
        raise ValueError(
            f"extractor {extractor.name!r}: the feature of image {first + int(bad[0])} is not finite"
        )
    return unit_rows(features)


def unit_rows(features: Tensor) -> Tensor:
    """Return vectors (N, F) divided by their lengths, however small or large; a zero vector stays zero."""
    largest = features.abs().amax(dim=1, keepdim=True)
    extreme = (largest > 0) & ((largest < SMALL) | (largest > LARGE))  # their squares leave float32
    scale = torch.where(extreme, largest, torch.ones_like(largest))
    return normalize(features / scale, dim=1, eps=1e-12)


def read_images(dataset: Any, start: int, stop: int) -> Tensor:
    """Return images ``start``..``stop - 1``, uint8 (n, 3, H, W).

    Raises:
        BadImageError: an image cannot be read; the message says how to go on.
    """
    try:
        return dataset.__getitems__(range(start, stop))["image"]
    except BadImageError as error:
        raise BadImageError(f"{error}. Nothing is lost: repair or remove it and run again") from error


def extract_block(extractor: Extractor, dataset: Any, start: int, stop: int, flip: bool) -> list[Tensor]:
    """Return the features of images ``start``..``stop - 1`` and, with ``flip``, of their mirror images.

    Raises:
        BadImageError: an image cannot be read.
        ValueError: a feature is not finite.
    """
    image = read_images(dataset, start, stop)
    found = [extract(extractor, image, start)]
    return [*found, extract(extractor, image.flip(-1), start)] if flip else found


def choose_precision(extractor: Extractor, image: Tensor, wanted: str) -> str:
    """Return ``bfloat16`` if wanted, or with ``auto`` if it is fast here and agrees; else ``float32``.

    It agrees if every image's features have a cosine of at least 0.9999 with those in float32. The
    extractor's own precision is left at what was tried last.

    Raises:
        ValueError: an unknown precision.
    """
    check_network_precision(wanted)
    if wanted != AUTO or not bfloat16_is_fast("cpu"):
        return resolve(wanted, "cpu")
    pair = []
    for extractor.precision in ("float32", "bfloat16"):
        pair.append(extractor(image).features)
    return "bfloat16" if float(cosine_similarity(*pair).min()) >= LEAST_COSINE else "float32"


def warn_if_slow(precision: str, folder: Path) -> None:
    """Say that a store begun in bfloat16 goes on in it where it is slow, so that all its rows agree."""
    if precision == "bfloat16" and not bfloat16_is_fast("cpu"):
        print_log(
            f"{folder} was begun in bfloat16 and goes on in it, which is slow here ({choose('cpu').reason}); "
            "to change it, remove that folder and run with --precision float32",
            "current",
            logging.WARNING,
        )
