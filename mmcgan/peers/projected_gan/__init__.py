"""Projected GAN: FastGAN's generators, and the discriminators on the maps of a frozen network."""

from mmcgan.peers.projected_gan import discriminator, fastgan

__all__ = ["discriminator", "fastgan"]
