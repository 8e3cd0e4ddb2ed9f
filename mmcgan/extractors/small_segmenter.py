"""The small segmentation networks as extractors: label maps, and features for distances."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.extractors.classifier_file import halve
from mmcgan.extractors.network_file import find_network_file, named, read_network_file, write_network_file
from mmcgan.extractors.segmentation_network import SegmentationNetwork
from mmcgan.pictures import from_levels
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS

FORMAT = "mmcgan-small-segmenter-1"


@dataclass(frozen=True)
class SegmenterRecord:
    """What is known of a trained segmentation network.

    Attributes:
        image_size: height and width of the images it was trained with.
        widths: channels of the stem and the stages.
        classes: names of the classes of pixels.
        dataset: config of the training images.
        test_miou, test_pixel_accuracy: on the ``test_images`` held-out real images.
        command, seed, seconds, precision: how it was made; older files do not tell the precision.
        held_out: share of the images of ``dataset`` that was held out for testing; 0 with a test set.
    """

    image_size: tuple[int, int]
    widths: tuple[int, ...]
    classes: tuple[str, ...]
    dataset: dict[str, Any]
    test_miou: float
    test_pixel_accuracy: float
    test_images: int
    command: str
    seed: int
    seconds: float
    precision: str = ""
    held_out: float = 0.0


@dataclass(frozen=True)
class AnySize(Preprocessing):
    """Normalises and leaves the size alone."""

    def __call__(self, image: Tensor) -> Tensor:
        """Return ``image`` uint8 (N, 3, H, W) as float32 in [-1, 1]."""
        return from_levels(image)


@EXTRACTORS.register_module()
class SmallSegmenter(Extractor):
    """A small segmentation network: the class of every pixel, and pooled features of the whole image.

    Images are taken at their own size.

    Args:
        weights: a name that ships with the package (``scenes-64``) or a file made by
            ``mmcgan train-segmenter``.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: neither a shipped name nor a file; the message lists the names.
        ValueError: the file is damaged or was not made by ``mmcgan train-segmenter``.
    """

    disk_arguments = ("weights",)

    def __init__(self, weights: str = "scenes-64", precision: Precision = "float32") -> None:
        network, record = load_segmenter(
            find_network_file(weights, "segmenter", "SmallSegmenter", "mmcgan train-segmenter")
        )
        super().__init__(f"small-segmenter:{Path(weights).stem}", AnySize(record.image_size[0]), precision)
        self.network = network
        self.record = record
        self.classes = record.classes
        self.feature_dim = network.widths[-1]
        self.pixel_classes = network.num_classes
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return features (N, F), non-negative, and the label map int64 (N, H, W)."""
        features, logits = self.network(pixels)
        return ExtractorOutput(features, label_map=logits.argmax(dim=1))


def save_segmenter(path: Path, network: SegmentationNetwork, record: SegmenterRecord) -> None:
    """Write the network, kernels in half precision, with its record as safetensors metadata."""
    write_network_file(path, halve(network.state_dict()), record, FORMAT)


def load_segmenter(path: Path) -> tuple[SegmentationNetwork, SegmenterRecord]:
    """Return the network in float32 and its record.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a file of :func:`save_segmenter`, or a damaged one.
    """
    state, values = read_network_file(path, "segmenter", FORMAT, "mmcgan train-segmenter")
    with named(path, "segmenter"):
        lists = {name: tuple(values[name]) for name in ("image_size", "widths", "classes")}
        record = SegmenterRecord(**{**values, **lists})
        network = SegmentationNetwork(len(record.classes), record.widths)
        network.load_state_dict(state)
    return network.eval(), record
