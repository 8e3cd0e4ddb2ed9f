"""A kind of condition of one's own, as in docs/extending/condition_field.md."""

import torch

from mmcgan.condition_fields import ConditionField
from mmcgan.registry import CONDITION_FIELDS


@CONDITION_FIELDS.register_module("joints")
class Joints(ConditionField):
    """Where joints are, float32 (N, 2 * num_joints): all x, then all y, in [0, 1]."""

    facts = ("num_joints",)  # what data sets tell of it; the first is its size

    def made_up(self, n, size, image_size, source):
        """Return random places: to trace and to test networks with."""
        return torch.rand(n, 2 * size, generator=source)

    def mirrored(self, value):  # optional: what it says of mirrored images
        """Return the places in mirrored images."""
        x, y = value.chunk(2, dim=1)
        return torch.cat([1 - x, y], dim=1)
