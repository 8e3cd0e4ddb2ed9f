"""Checks of extractors and metrics."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.datasets.base import GANDataset
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.registry import EXTRACTORS, GENERATION_METRICS
from mmcgan.structures import Condition
from mmcgan.testing.requirements import built, check_finite, require, source

CLASSES, FEATURES, SPATIAL, SIDE = 3, 8, 6, 32
NAMES = ("0", "1", "2")
GROUPS = {"digit": list(NAMES)}


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
    """Offers all that a metric may ask of an extractor, without a network: mean colours of parts."""

    def __init__(self) -> None:
        super().__init__("made-up", Preprocessing(SIDE))
        self.feature_dim, self.spatial_dim, self.num_classes = FEATURES, SPATIAL, CLASSES
        self.pixel_classes, self.classes = CLASSES, NAMES
        self.groups = AttributeGroups.from_config(GROUPS)
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return what an image shows in a few numbers."""
        parts = torch.nn.functional.adaptive_avg_pool2d(pixels, 2).flatten(1)
        brightest = pixels.argmax(1)
        return ExtractorOutput(parts[:, :FEATURES], parts[:, -CLASSES:], parts[:, :SPATIAL], None, brightest)


class MadeUpImages(GANDataset):
    """Noise of three classes in turn, of which one colour is brighter."""

    disk_arguments = ()

    def __init__(self, size: int, seed: int) -> None:
        self.label = self.labels = torch.arange(size) % CLASSES
        self.classes, self.split = NAMES, "train"
        noise = torch.rand(size, 3, SIDE, SIDE, generator=source(seed))
        noise[torch.arange(size), self.label] += 1
        self.image = (noise * 127).to(torch.uint8)

    def __len__(self) -> int:
        return len(self.image)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return images and labels."""
        rows = torch.tensor([int(index) for index in indices])
        return {"image": self.image[rows], "label": self.label[rows]}

    @property
    def metainfo(self) -> dict[str, Any]:
        """What is known of the set."""
        counts = tuple(torch.bincount(self.label, minlength=CLASSES).tolist())
        return dict(num_classes=CLASSES, classes=NAMES, image_size=SIDE, class_counts=counts)


def made_up_output(n: int, extractor: Extractor) -> tuple[ExtractorOutput, Condition]:
    """Return what ``extractor`` says of ``n`` images, and what they were asked to be."""
    images = MadeUpImages(n, 1)
    chosen = torch.nn.functional.one_hot(images.label, CLASSES).float()
    # one for each class: every condition is asked for more than once, for metrics that compare such images
    maps = torch.randint(CLASSES, (CLASSES, SIDE, SIDE), generator=source(2))
    condition = Condition(label=images.label, attributes=chosen, label_map=maps[images.label])
    return extractor(images.image), condition


def check_metric(
    metric: Any,
    images: int = 36,
    reference: Any = None,
    extractor: Any = None,
    condition: Condition | None = None,
) -> None:
    """Check a metric: finite figures that it declares, the same in two batches as in one, forgotten on reset.

    Args:
        metric: built, or its config.
        images: how many made-up ones it sees.
        reference: for a metric that needs real images; made-up ones if None.
        extractor: in place of one of 8 features, 3 classes of images and pixels, and one group of attributes.
        condition: of that many images; labels, attributes and label maps by default.

    Raises:
        CheckError: names what is wrong.
    """
    term = built(GENERATION_METRICS, metric)
    name, network = type(term).__name__, extractor or MadeUpFeatures()
    if reference is None and term.needs_reference:
        reference = Reference(MadeUpImages(images, 0), network, keep=False)
    term.prepare(network, reference)
    term.expect({"num_classes": CLASSES, "classes": NAMES, "size": images})
    shortage = term.shortage(images, images if reference is not None else None)
    require(shortage is None, f"{name}: {shortage}")
    output, asked = made_up_output(images, network)
    figures = _figures_of(term, output, asked if condition is None else condition)
    half = images // 2
    whole, halves = figures(slice(None)), figures(slice(0, half), slice(half, None))
    require(bool(whole), f"{name} returns no figures")
    for key, value in whole.items():
        require(isinstance(value, float), f"{name}: {key} is a {type(value).__name__}, not a float")
        require(math.isfinite(value), f"{name}: {key} is {value}")
        require(
            abs(value - halves[key]) <= 1e-6 * max(1, abs(value)), f"{name}: {key} depends on the batches"
        )
        declared = not term.figures or any(fnmatchcase(key, pattern) for pattern in term.figures)
        require(declared, f"{name} returns {key!r}, which figures={term.figures} does not have")
        way = [each for pattern, each in term.better.items() if fnmatchcase(key, pattern)]
        require(len(set(way)) < 2, f"{name}: better={dict(term.better)} says both ways of {key!r}")
    require(figures(slice(None)) == whole, f"{name}: reset() does not forget all images")
    _check_words(name, term)


def _figures_of(term: Any, output: ExtractorOutput, condition: Condition) -> Callable[..., dict[str, float]]:
    def rows_of(rows: slice) -> ExtractorOutput:
        held: dict[str, Any] = {
            key: None if value is None else value[rows] for key, value in vars(output).items()
        }
        return ExtractorOutput(**held)

    def figures(*cuts: slice) -> dict[str, float]:
        term.reset()
        for rows in cuts:
            term.update(rows_of(rows), condition[rows])
        term.merge()
        found: dict[str, float] = term.compute()
        return found

    return figures


def _check_words(name: str, term: Any) -> None:
    """Check what reports and command lines read of a metric."""
    for what in ("settings", "details"):
        try:
            json.dumps(getattr(term, what)())
        except (TypeError, ValueError) as error:
            require(False, f"{name}: {what}() is not of JSON types: {error}")
    strange = sorted(set(term.suite) - set(term.short_names))
    require(not strange, f"{name}: suite names {strange}, which short_names={dict(term.short_names)} lacks")
    for short, settings in term.short_names.items():
        try:
            type(term)(**settings)
        except TypeError as error:
            require(False, f"{name}: the settings of its short name {short!r} do not build it: {error}")
