"""A small classifier of attributes: every group judged by one network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.extractors.base import Preprocessing
from mmcgan.extractors.classifier_file import load_classifier
from mmcgan.extractors.network_file import find_network_file
from mmcgan.extractors.small_network_extractor import SmallNetworkExtractor
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS

KIND = "attribute-classifier"


@EXTRACTORS.register_module()
class AttributeClassifier(SmallNetworkExtractor):
    """A small residual network with a column of logits for every attribute of every group.

    ``num_classes`` is None: columns of several groups are no classes of one (Inception Score is undefined).

    Args:
        weights: a name that ships with the package (``two-domain-digits-16``) or a file made by
            ``tools/train_classifier.py`` from a data set with attributes.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: neither a shipped name nor a file; the message lists the names.
        ValueError: the file is damaged or has no attributes.
    """

    weight_kind = "attribute-classifier"
    file_format = "mmcgan-small-classifier"

    @classmethod
    def takes_record(cls, record: Mapping[str, Any]) -> bool:
        """Return whether a file classifies attributes."""
        return bool(record.get("attributes"))

    disk_arguments = ("weights",)

    def __init__(self, weights: str, precision: Precision = "float32") -> None:
        network, record = load_classifier(
            find_network_file(weights, KIND, "AttributeClassifier", "mmcgan train-classifier")
        )
        if not record.attributes:
            raise ValueError(
                f"AttributeClassifier: {weights} classifies one set of classes, no attributes; use "
                "dict(type='SmallClassifier'), or train one on a data set with attributes"
            )
        name = f"attribute-classifier:{Path(weights).stem}"
        super().__init__(name, Preprocessing(record.image_size), precision)
        self.network = network
        self.record = record
        self.groups = AttributeGroups.from_config(record.attributes)
        self.feature_dim = network.widths[-1]
        self.freeze()


def attribute_hits(logits: Tensor, attributes: Tensor, groups: AttributeGroups) -> dict[str, Tensor]:
    """Return, by attribute, which images (N,) are recognised.

    An exclusive group counts as one, ``group``: its largest logit is the positive attribute. Free
    attributes count one by one, ``group/name``: the logit's sign is right.
    """
    hits: dict[str, Tensor] = {}
    for group in groups:
        own, wanted = logits[:, group.columns], attributes[:, group.columns]
        if group.exclusive:
            hits[group.name] = own.argmax(1) == wanted.argmax(1)
        else:
            right = (own > 0) == wanted.bool()
            hits |= {f"{group.name}/{name}": right[:, i] for i, name in enumerate(group.names)}
    return hits
