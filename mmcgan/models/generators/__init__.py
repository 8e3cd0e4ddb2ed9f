"""Generators: (latent, condition) to image."""

from mmcgan.models.generators.biggan import BigGANGenerator
from mmcgan.models.generators.dcgan import DCGANGenerator
from mmcgan.models.generators.resnet import ResNetGenerator

__all__ = ["BigGANGenerator", "DCGANGenerator", "ResNetGenerator"]
