"""Discriminator heads: they own parameters and emit named tensors."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.models.heads.base import Head
    from mmcgan.models.heads.basic import AdversarialHead, ClassifierHead, OmniHead, ProjectionHead
    from mmcgan.models.heads.class_columns import DiscriminativeClassifierHead, FakeClassHead, PerClassHead
    from mmcgan.models.heads.code import ContinuousCodeHead, DiscreteCodeHead
    from mmcgan.models.heads.condition_projection import ConditionProjectionHead
    from mmcgan.models.heads.discriminative_proxy import DiscriminativeProxyHead
    from mmcgan.models.heads.each_scale import EachScale
    from mmcgan.models.heads.inner_product import InnerProductHead
    from mmcgan.models.heads.mapped_projection import MappedProjectionHead
    from mmcgan.models.heads.on_windows import OnWindows
    from mmcgan.models.heads.patch import PatchHead, PatchProjectionHead, PixelClassHead
    from mmcgan.models.heads.proxy import ProxyHead
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "AdversarialHead",
    "ClassifierHead",
    "ConditionProjectionHead",
    "ContinuousCodeHead",
    "DiscreteCodeHead",
    "DiscriminativeClassifierHead",
    "DiscriminativeProxyHead",
    "EachScale",
    "FakeClassHead",
    "Head",
    "InnerProductHead",
    "MappedProjectionHead",
    "OmniHead",
    "OnWindows",
    "PatchHead",
    "PatchProjectionHead",
    "PerClassHead",
    "PixelClassHead",
    "ProjectionHead",
    "ProxyHead",
]
