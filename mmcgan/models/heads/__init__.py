"""Discriminator heads: they own parameters and emit named tensors."""

from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import AdversarialHead, ClassifierHead, OmniHead, ProjectionHead

__all__ = ["AdversarialHead", "ClassifierHead", "Head", "OmniHead", "ProjectionHead"]
