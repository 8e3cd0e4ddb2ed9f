"""Discriminator backbones: image to features."""

from mmcgan.models.backbones.biggan import BigGANBackbone
from mmcgan.models.backbones.dcgan import DCGANBackbone
from mmcgan.models.backbones.resnet import ResNetBackbone

__all__ = ["BigGANBackbone", "DCGANBackbone", "ResNetBackbone"]
