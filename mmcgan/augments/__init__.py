"""Augmentations in front of the discriminator: image -> image, inside ``score()``."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.augments.ada import ADA
    from mmcgan.augments.adaptive import AdaptiveProbability
    from mmcgan.augments.apa import APA
    from mmcgan.augments.base import Augment, Draws
    from mmcgan.augments.blur import Blur
    from mmcgan.augments.compose import ComposeAugments
    from mmcgan.augments.diff_augment import DiffAugment
    from mmcgan.augments.flip_and_shift import FlipAndShift
    from mmcgan.augments.views import BYOLAugment, SimCLRAugment
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "ADA",
    "APA",
    "AdaptiveProbability",
    "Augment",
    "BYOLAugment",
    "Blur",
    "ComposeAugments",
    "DiffAugment",
    "Draws",
    "FlipAndShift",
    "SimCLRAugment",
]
