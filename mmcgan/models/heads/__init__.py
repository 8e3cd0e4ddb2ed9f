"""Discriminator heads: they own parameters and emit named tensors."""

from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import AdversarialHead, ClassifierHead, OmniHead, ProjectionHead
from mmcgan.models.heads.condition_projection import ConditionProjectionHead

__all__ = [
    "AdversarialHead",
    "ClassifierHead",
    "ConditionProjectionHead",
    "Head",
    "OmniHead",
    "ProjectionHead",
]
