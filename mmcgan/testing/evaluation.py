"""Checks of extractors and metrics."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.registry import EXTRACTORS, GENERATION_METRICS
from mmcgan.structures import Condition
from mmcgan.testing.requirements import built, check_finite, require, source

CLASSES, FEATURES = 3, 8


def check_extractor(extractor: Any) -> None:
    """Check an extractor: lengths, frozen weights, determinism, images taken one by one, its description.

    Args:
        extractor: built, or its config.

    Raises:
        CheckError: names what is wrong.
    """
    network: Extractor = built(EXTRACTORS, extractor)
    name = type(network).__name__
    trained = [key for key, value in network.named_parameters() if value.requires_grad]
    require(not trained, f"{name} is not frozen: {trained[:3]}; call freeze()")
    require(not network.training, f"{name} is in training mode; call freeze()")
    side = network.preprocessing.image_size
    image = torch.randint(0, 256, (3, 3, side, side), dtype=torch.uint8, generator=source())
    output, again = network(image), network(image)
    shape = tuple(output.features.shape)
    require(
        shape == (3, network.feature_dim), f"{name}: features are {shape}, feature_dim={network.feature_dim}"
    )
    require(torch.equal(output.features, again.features), f"{name}: two calls differ")
    check_finite(name, "features", output.features)
    classes = None if output.logits is None else output.logits.shape[1]
    known = network.num_classes
    require(known is None or classes == known, f"{name}: {classes} logits, num_classes={known}")
    small = network(image[:, :, : max(side // 2, 1), : max(side // 2, 1)])
    require(small.features.shape[1] == network.feature_dim, f"{name} does not resize its images")
    require(
        network.describe()["weights_sha256"] == network.weights_hash, f"{name}: describe() is not its own"
    )


class MadeUpFeatures(Extractor):
    """Offers what a metric may ask of an extractor, without a network."""

    def __init__(self) -> None:
        from mmcgan.extractors.base import Preprocessing

        super().__init__("made-up", Preprocessing(32))
        self.feature_dim, self.num_classes, self.classes = FEATURES, CLASSES, ("0", "1", "2")
        self.freeze()


def made_up_output(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Condition]:
    """Return features, logits, images and conditions of ``n`` images."""
    values = torch.randn(n, FEATURES, generator=source(seed))
    logits = torch.randn(n, CLASSES, generator=source(seed + 1))
    image = torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=source(seed + 2))
    return values, logits, image, Condition(label=torch.arange(n) % CLASSES)


def check_metric(
    metric: Any,
    images: int = 16,
    reference: Any = None,
    extractor: Any = None,
    condition: Condition | None = None,
) -> None:
    """Check a metric: finite figures that it declares, the same in two batches as in one, forgotten on reset.

    Args:
        metric: built, or its config.
        images: how many made-up ones it sees.
        reference: for a metric that needs real images.
        extractor: in place of one with 8 features and 3 classes.
        condition: of that many images; labels by default.

    Raises:
        CheckError: names what is wrong.
    """
    from fnmatch import fnmatchcase

    term = built(GENERATION_METRICS, metric)
    name = type(term).__name__
    term.prepare(extractor or MadeUpFeatures(), reference)
    term.expect({"num_classes": CLASSES, "classes": ("0", "1", "2"), "size": images})
    features, logits, image, labels = made_up_output(images, 0)
    condition = labels if condition is None else condition

    def figures(*cuts: slice) -> dict[str, float]:
        term.reset()
        for rows in cuts:
            term.update(ExtractorOutput(features[rows], logits[rows], None, image[rows]), condition[rows])
        term.merge()
        return term.compute()

    half = images // 2
    whole, halves = figures(slice(None)), figures(slice(0, half), slice(half, None))
    require(bool(whole), f"{name} returns no figures")
    for key, value in whole.items():
        require(isinstance(value, float), f"{name}: {key} is a {type(value).__name__}, not a float")
        require(
            abs(value - halves[key]) <= 1e-6 * max(1, abs(value)), f"{name}: {key} depends on the batches"
        )
        declared = not term.figures or any(fnmatchcase(key, pattern) for pattern in term.figures)
        require(declared, f"{name} returns {key!r}, which figures={term.figures} does not have")
    require(figures(slice(None)) == whole, f"{name}: reset() does not forget all images")
