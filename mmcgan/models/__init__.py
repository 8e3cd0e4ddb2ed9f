"""Networks, heads and the training step."""

from mmcgan.models import backbones, generators, heads
from mmcgan.models.data_preprocessor import GANDataPreprocessor
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.gan import ConditionalGAN

__all__ = ["ConditionalGAN", "Discriminator", "GANDataPreprocessor", "backbones", "generators", "heads"]
