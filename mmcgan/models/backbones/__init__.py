"""Discriminator backbones: image to features."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.models.backbones.base import Backbone
    from mmcgan.models.backbones.biggan import BigGANBackbone
    from mmcgan.models.backbones.biggan_deep import BigGANDeepBackbone
    from mmcgan.models.backbones.dcgan import DCGANBackbone
    from mmcgan.models.backbones.patch import PatchBackbone
    from mmcgan.models.backbones.projected import ProjectedBackbone
    from mmcgan.models.backbones.r3gan import R3GANBackbone
    from mmcgan.models.backbones.resnet import ResNetBackbone
    from mmcgan.models.backbones.stylegan2 import StyleGAN2Backbone
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "Backbone",
    "BigGANBackbone",
    "BigGANDeepBackbone",
    "DCGANBackbone",
    "PatchBackbone",
    "ProjectedBackbone",
    "R3GANBackbone",
    "ResNetBackbone",
    "StyleGAN2Backbone",
]
