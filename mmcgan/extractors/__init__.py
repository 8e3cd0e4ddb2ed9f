"""Frozen networks from uint8 images to features and logits."""

from mmcgan.extractors.base import (
    RESIZE_RULES,
    Extractor,
    ExtractorOutput,
    Preprocessing,
    quantize,
)
from mmcgan.extractors.inception import InceptionV3, TeroInception, TorchvisionInception
from mmcgan.extractors.self_supervised import DINO, SwAV
from mmcgan.extractors.small_classifier import SmallClassifier
from mmcgan.extractors.timm_extractor import TimmExtractor

__all__ = [
    "DINO",
    "RESIZE_RULES",
    "Extractor",
    "ExtractorOutput",
    "InceptionV3",
    "Preprocessing",
    "SmallClassifier",
    "SwAV",
    "TeroInception",
    "TimmExtractor",
    "TorchvisionInception",
    "quantize",
]
