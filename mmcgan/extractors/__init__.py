"""Frozen networks from uint8 images to features and logits."""

from mmcgan.extractors.base import (
    RESIZE_RULES,
    Extractor,
    ExtractorOutput,
    Preprocessing,
    quantize,
)
from mmcgan.extractors.small_classifier import SmallClassifier
from mmcgan.extractors.timm_extractor import TimmExtractor

__all__ = [
    "RESIZE_RULES",
    "Extractor",
    "ExtractorOutput",
    "Preprocessing",
    "SmallClassifier",
    "TimmExtractor",
    "quantize",
]
