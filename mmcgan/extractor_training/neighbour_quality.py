"""How good features are for finding neighbours, beside raw pixels and installed extractors."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.extractors.base import Extractor, Preprocessing
from mmcgan.extractors.efficientnet import PACKAGE
from mmcgan.extractors.names import extractor_config
from mmcgan.extractors.small_network import SmallNetwork
from mmcgan.progress import progress_bar
from mmcgan.random import make_generator
from mmcgan.registry import EXTRACTORS

#: images that are compared with each other
COMPARED = 1000
BLOCK = 128
#: of a changed copy: the part of the sides that is kept
KEPT = 0.8
PIXEL_SIDE = 16


@torch.no_grad()
def neighbour_quality(
    dataset: Any, network: SmallNetwork, options: Any, others: Mapping[str, Extractor] | None = None
) -> dict[str, float]:
    """Return shares of images, by what they say; of chance, a thousandth of 1,000 images.

    With labels: whose nearest other image is of the same class, by features and by pixels. Always: whose
    nearest image is themselves, among the images cut to 80% and brightened, which were not trained with.

    Args:
        dataset: images, labels if there are some.
        network: gives the features.
        options: of the training, for the image size.
        others: name -> extractor that is judged beside it; see :func:`installed_extractors`.
    """
    others = others or {}
    size = min(len(dataset), COMPARED)
    rows = torch.randperm(len(dataset), generator=make_generator(0, "images compared"))[:size]
    preprocess = Preprocessing(options.image_size)
    kinds: dict[str, Callable[[Tensor], Tensor]] = {
        "features": lambda image: network.features(preprocess(image)).float(),
        "pixels": _pixels,
        **{name: partial(_features_of, extractor) for name, extractor in others.items()},
    }
    found: dict[str, list[Tensor]] = {f"{kind}{of}": [] for kind in kinds for of in ("", ", changed")}
    with progress_bar("Comparing features", size) as advance:
        for start in range(0, size, BLOCK):
            image = dataset.__getitems__(rows[start : start + BLOCK].tolist())["image"]
            changed = _changed(image)
            for kind, vectors_of in kinds.items():
                found[kind].append(vectors_of(image))
                found[f"{kind}, changed"].append(vectors_of(changed))
            for _ in image:
                advance()
    vectors = {name: F.normalize(torch.cat(parts)) for name, parts in found.items()}
    labels = dataset.labels
    quality = {}
    for kind in kinds:
        if labels is not None:
            quality[f"nearest image of the same class, by {kind}"] = same_class(vectors[kind], labels[rows])
        quality[f"changed copy found among {size} images, by {kind}"] = found_again(
            vectors[f"{kind}, changed"], vectors[kind]
        )
    return quality


def installed_extractors() -> dict[str, Extractor]:
    """Return the extractors for neighbours that are here: EfficientNet-Lite0 with the extra ``weights``."""
    if importlib.util.find_spec(PACKAGE) is None:
        return {}
    return {"EfficientNet-Lite0": EXTRACTORS.build(extractor_config("efficientnet-lite0"))}


def _features_of(extractor: Extractor, image: Tensor) -> Tensor:
    return extractor(image).features.float()


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
