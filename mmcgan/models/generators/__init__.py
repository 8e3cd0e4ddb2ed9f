"""Generators: (latent, condition) to image."""

from mmcgan.models.generators.biggan import BigGANGenerator

__all__ = ["BigGANGenerator"]
