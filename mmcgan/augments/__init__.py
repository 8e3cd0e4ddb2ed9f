"""Augmentations in front of the discriminator: image -> image, inside ``score()``."""

from mmcgan.augments.base import Augment, Draws
from mmcgan.augments.flip_and_shift import FlipAndShift

__all__ = ["Augment", "Draws", "FlipAndShift"]
