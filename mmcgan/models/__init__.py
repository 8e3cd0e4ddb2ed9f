"""Networks, heads and the training step."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.models import backbones, generators, heads
    from mmcgan.models.data_preprocessor import GANDataPreprocessor
    from mmcgan.models.discriminator import Discriminator
    from mmcgan.models.gan import ConditionalGAN
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["ConditionalGAN", "Discriminator", "GANDataPreprocessor", "backbones", "generators", "heads"]
