"""Frozen networks from uint8 images to features and logits."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.extractors.attribute_classifier import AttributeClassifier
    from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing, quantize
    from mmcgan.extractors.efficientnet import EfficientNetLite0
    from mmcgan.extractors.inception import InceptionV3, TeroInception, TorchvisionInception
    from mmcgan.extractors.resizing import RESIZE_RULES
    from mmcgan.extractors.self_supervised import DINO, SwAV
    from mmcgan.extractors.small_classifier import SmallClassifier
    from mmcgan.extractors.small_segmenter import SmallSegmenter
    from mmcgan.extractors.ssl_extractor import SelfSupervisedExtractor
    from mmcgan.extractors.stacked_classifier import StackedClassifier
    from mmcgan.extractors.timm_extractor import TimmExtractor
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "DINO",
    "RESIZE_RULES",
    "AttributeClassifier",
    "EfficientNetLite0",
    "Extractor",
    "ExtractorOutput",
    "InceptionV3",
    "Preprocessing",
    "SelfSupervisedExtractor",
    "SmallClassifier",
    "SmallSegmenter",
    "StackedClassifier",
    "SwAV",
    "TeroInception",
    "TimmExtractor",
    "TorchvisionInception",
    "quantize",
]
