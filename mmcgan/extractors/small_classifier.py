"""The small classifiers as extractors: evaluation without any download."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcgan.extractors.base import Preprocessing
from mmcgan.extractors.classifier_file import load_classifier
from mmcgan.extractors.network_file import find_network_file
from mmcgan.extractors.small_network_extractor import SmallNetworkExtractor
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS


@EXTRACTORS.register_module()
class SmallClassifier(SmallNetworkExtractor):
    """A small residual classifier: pooled features and logits.

    Args:
        weights: a name that ships with the package (``digits-16``, ``fashion-mnist-32``) or a file made
            by ``tools/train_classifier.py``.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: neither a shipped name nor a file; the message lists the names.
        ValueError: the file is damaged, was not made by ``tools/train_classifier.py``, or classifies
            attributes.
    """

    weight_kind = "classifier"
    file_format = "mmcgan-small-classifier"

    @classmethod
    def takes_record(cls, record: Mapping[str, Any]) -> bool:
        """Return whether a file classifies images rather than their attributes."""
        return not record.get("attributes")

    disk_arguments = ("weights",)

    def __init__(self, weights: str, precision: Precision = "float32") -> None:
        network, record = load_classifier(
            find_network_file(weights, "classifier", "SmallClassifier", "mmcgan train-classifier")
        )
        if record.attributes:
            raise ValueError(
                f"SmallClassifier: {weights} classifies attributes; use dict(type='AttributeClassifier')"
            )
        super().__init__(
            f"small-classifier:{Path(weights).stem}", Preprocessing(record.image_size), precision
        )
        self.network = network
        self.record = record
        self.classes = record.classes
        self.feature_dim = network.widths[-1]
        self.num_classes = network.num_classes
        self.freeze()
