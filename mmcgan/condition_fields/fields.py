"""The kinds of conditions that mmcgan brings."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from mmcgan.condition_fields.base import ConditionField
from mmcgan.registry import CONDITION_FIELDS


@CONDITION_FIELDS.register_module("label")
class Label(ConditionField):
    """Index of a class, int64 (N,)."""

    facts = ("num_classes", "class_counts")

    def made_up(self, n: int, size: int, image_size: tuple[int, int], source: Generator) -> Tensor:
        """Return random classes below ``size``."""
        return torch.randint(max(size, 1), (n,), generator=source)


@CONDITION_FIELDS.register_module("instance")
class Instance(ConditionField):
    """Feature of an image, of length 1, float32 (N, F)."""

    facts = ("instance_dim", "instance_store")

    def made_up(self, n: int, size: int, image_size: tuple[int, int], source: Generator) -> Tensor:
        """Return points of the unit sphere."""
        return F.normalize(torch.randn(n, size, generator=source), dim=1)


@CONDITION_FIELDS.register_module("attributes")
class Attributes(ConditionField):
    """Multi-hot attributes, float32 (N, A)."""

    facts = ("num_attributes", "attribute_groups", "attribute_counts")

    def made_up(self, n: int, size: int, image_size: tuple[int, int], source: Generator) -> Tensor:
        """Return every attribute on or off at random."""
        return torch.randint(2, (n, size), generator=source).float()


@CONDITION_FIELDS.register_module("label_map")
class LabelMap(ConditionField):
    """Class of every pixel, int64 (N, H, W)."""

    facts = ("num_map_classes",)
    interpolates = False

    def made_up(self, n: int, size: int, image_size: tuple[int, int], source: Generator) -> Tensor:
        """Return a random class for every pixel."""
        return torch.randint(max(size, 1), (n, *image_size), generator=source)

    def mirrored(self, value: Tensor) -> Tensor:
        """Return the maps mirrored."""
        return value.flip(-1)


@CONDITION_FIELDS.register_module("edge_map")
class EdgeMap(ConditionField):
    """Whether a pixel lies at the border of an instance, bool (N, H, W); bytes in batches."""

    facts = ("has_edges",)
    interpolates = False

    def made_up(self, n: int, size: int, image_size: tuple[int, int], source: Generator) -> Tensor:
        """Return borders at random places."""
        return torch.rand(n, *image_size, generator=source) > 0.5

    def typed(self, value: Tensor) -> Tensor:
        """Return booleans."""
        return value.bool()

    def mirrored(self, value: Tensor) -> Tensor:
        """Return the maps mirrored."""
        return value.flip(-1)
