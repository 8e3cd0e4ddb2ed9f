"""MMagic (formerly MMGeneration): BigGAN, BigGAN-deep, SNGAN and SAGAN, StyleGAN2."""

from mmcgan.peers.mmagic import biggan, resnet, stylegan2  # noqa: F401
