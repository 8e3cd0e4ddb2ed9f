"""A classifier of grey images as a classifier of what three of them make, one in each colour."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.extractors.classifier_file import load_classifier
from mmcgan.extractors.network_file import find_network_file
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS


@EXTRACTORS.register_module()
class StackedClassifier(Extractor):
    """Classifies red, green and blue apart: C^3 classes, features of the three side by side.

    The logit of (r, g, b) is the sum of the three colours' log-probabilities, so that the softmax over all
    classes is the product of theirs. For :class:`~mmcgan.datasets.StackedDigits`.

    Args:
        weights: of a classifier of grey images, as of :class:`~mmcgan.extractors.SmallClassifier`.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: neither a shipped name nor a file.
        ValueError: the file is damaged or classifies attributes.
    """

    disk_arguments = ("weights",)

    def __init__(self, weights: str = "digits-16", precision: Precision = "float32") -> None:
        path = find_network_file(weights, "classifier", "StackedClassifier", "mmcgan train-classifier")
        network, record = load_classifier(path)
        if record.attributes:
            raise ValueError(f"StackedClassifier: {weights} classifies attributes, not classes")
        name = f"stacked-classifier:{Path(weights).stem}"
        super().__init__(name, Preprocessing(record.image_size), precision)
        self.network = network
        self.classes = ["".join(names) for names in product(record.classes, repeat=3)]
        self.feature_dim = 3 * network.widths[-1]
        self.num_classes = network.num_classes**3
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return features (N, 3F) and logits (N, C^3)."""
        grey = pixels.flatten(0, 1)[:, None].expand(-1, 3, -1, -1)
        features, logits = self.network(grey.contiguous(memory_format=torch.channels_last))
        red, green, blue = logits.float().log_softmax(1).unflatten(0, (-1, 3)).unbind(1)
        joint = red[:, :, None, None] + green[:, None, :, None] + blue[:, None, None, :]
        return ExtractorOutput(features.unflatten(0, (-1, 3)).flatten(1), joint.flatten(1))
