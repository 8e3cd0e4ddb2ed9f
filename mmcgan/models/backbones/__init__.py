"""Discriminator backbones: image to features."""

from mmcgan.models.backbones.biggan import BigGANBackbone

__all__ = ["BigGANBackbone"]
