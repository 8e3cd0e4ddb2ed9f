"""How good features are for finding neighbours, beside raw pixels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.extractors.base import Preprocessing
from mmcgan.extractors.small_network import SmallNetwork
from mmcgan.random import make_generator

#: images that are compared with each other
COMPARED = 1000
BLOCK = 128
#: of a changed copy: the part of the sides that is kept
KEPT = 0.8
PIXEL_SIDE = 16


@torch.no_grad()
def neighbour_quality(dataset: Any, network: SmallNetwork, options: Any) -> dict[str, float]:
    """Return shares of images, by what they say; of chance, a thousandth of 1,000 images.

    With labels: whose nearest other image is of the same class, by features and by pixels. Always: whose
    nearest image is themselves, among the images cut to 80% and brightened, which were not trained with.

    Args:
        dataset: images, labels if there are some.
        network: gives the features.
        options: of the training, for the image size.
    """
    size = min(len(dataset), COMPARED)
    rows = torch.randperm(len(dataset), generator=make_generator(0, "images compared"))[:size]
    preprocess = Preprocessing(options.image_size)
    found: dict[str, list[Tensor]] = {
        "features": [],
        "features, changed": [],
        "pixels": [],
        "pixels, changed": [],
    }
    for start in range(0, size, BLOCK):
        image = dataset.__getitems__(rows[start : start + BLOCK].tolist())["image"]
        changed = _changed(image)
        found["features"].append(network.features(preprocess(image)).float())
        found["features, changed"].append(network.features(preprocess(changed)).float())
        found["pixels"].append(_pixels(image))
        found["pixels, changed"].append(_pixels(changed))
    vectors = {name: F.normalize(torch.cat(parts)) for name, parts in found.items()}
    labels = dataset.labels
    quality = {}
    for kind in ("features", "pixels"):
        if labels is not None:
            quality[f"nearest image of the same class, by {kind}"] = same_class(vectors[kind], labels[rows])
        quality[f"changed copy found among {size} images, by {kind}"] = found_again(
            vectors[f"{kind}, changed"], vectors[kind]
        )
    return quality


def _changed(image: Tensor) -> Tensor:
    """Return uint8 images (N, 3, H, W) cut to their upper left 80%, in their old size, and brightened."""
    height, width = (max(1, round(KEPT * side)) for side in image.shape[2:])
    cut = image[:, :, :height, :width].float()
    grown = F.interpolate(cut, size=image.shape[2:], mode="bilinear", antialias=True)
    return (0.8 * grown + 40).clamp(0, 255).to(torch.uint8)


def _pixels(image: Tensor) -> Tensor:
    """Return small images as vectors without their mean level."""
    small = F.adaptive_avg_pool2d(image.float(), min(PIXEL_SIDE, image.shape[-1])).flatten(1)
    return small - small.mean(1, keepdim=True)


def same_class(vectors: Tensor, labels: Tensor) -> float:
    """Return the share of vectors (N, F) whose nearest other one has their label (N,)."""
    likeness = vectors @ vectors.T
    likeness.fill_diagonal_(-torch.inf)
    return float((labels[likeness.argmax(1)] == labels).float().mean())


def found_again(changed: Tensor, vectors: Tensor) -> float:
    """Return the share of changed vectors (N, F) that are closest to their own original."""
    return float(((changed @ vectors.T).argmax(1) == torch.arange(len(vectors))).float().mean())
