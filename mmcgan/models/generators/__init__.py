"""Generators: (latent, condition) to image."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.models.generators.base import Generator
    from mmcgan.models.generators.biggan import BigGANGenerator
    from mmcgan.models.generators.biggan_deep import BigGANDeepGenerator
    from mmcgan.models.generators.coded import CodedGenerator
    from mmcgan.models.generators.dcgan import DCGANGenerator
    from mmcgan.models.generators.fastgan import FastGANGenerator
    from mmcgan.models.generators.r3gan import R3GANGenerator
    from mmcgan.models.generators.resnet import ResNetGenerator
    from mmcgan.models.generators.spade import SPADEGenerator
    from mmcgan.models.generators.stylegan2 import StyleGAN2Generator
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "BigGANDeepGenerator",
    "BigGANGenerator",
    "CodedGenerator",
    "DCGANGenerator",
    "FastGANGenerator",
    "Generator",
    "R3GANGenerator",
    "ResNetGenerator",
    "SPADEGenerator",
    "StyleGAN2Generator",
]
