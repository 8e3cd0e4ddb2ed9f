"""What a head is: it owns parameters and turns features into named tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from mmcgan.structures import Condition


class Head(nn.Module):
    """Base of all heads.

    Class attributes say what a config may wire:

    * ``emits``: names of the tensors that ``forward`` returns, each with N rows;
    * ``requires``: the fields of :class:`Condition` that must be present.
    """

    emits: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ()

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return the named tensors.

        Args:
            features: ``pooled`` (N, C) and ``map`` (N, C, h, w) of the backbone, after its
                last activation.
            condition: the condition of each image.
        """
        raise NotImplementedError
