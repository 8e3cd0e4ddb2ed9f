"""Any head on what windows of the map show, in place of the backbone's pooled features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmcgan.dtypes import at_least_float32
from mmcgan.models.heads.base import Head, emits_inside
from mmcgan.models.heads.basic import SpectralNorm
from mmcgan.models.heads.patch import least_side, map_of, padding_of
from mmcgan.models.layers import conv2d
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class OnWindows(Head):
    """Any head on what windows of the map show; emits what that head emits.

    Features pooled over all positions say what is in an image and not where. That is enough behind a backbone
    which learns to fold the layout into its channels; one that looks through a frozen network learns too
    little for that, and a generator answers with the right textures in no arrangement. Here a convolution
    describes every window of ``kernel_size`` x ``kernel_size`` positions by ``dim`` numbers, and their mean
    over the windows is the ``pooled`` of the head: with the windows of Projected GAN's own logits
    (:class:`PatchHead`, 4 without padding) behind maps of 4 x 4, one window is the whole image.

    Args:
        in_channels: of the map.
        head: config of the head that looks at it.
        kernel_size: side of a window in positions of the map.
        dim: numbers that describe a window; None for as many as the map has channels.
        padding: zeros on every side of the map; None for half of the kernel.
        spectral_norm: of the convolution, which has no bias.

    Raises:
        ValueError: ``kernel_size`` or ``dim`` is not positive, or ``padding`` negative.
    """

    reads = ("map",)

    def __init__(
        self,
        in_channels: int,
        head: dict[str, Any],
        kernel_size: int = 4,
        dim: int | None = None,
        padding: int | None = 0,
        spectral_norm: SpectralNorm = True,
    ) -> None:
        super().__init__()
        dim = in_channels if dim is None else dim
        if dim < 1:
            raise ValueError(f"OnWindows: dim must be at least 1, got {dim}")
        self.window = (kernel_size, padding_of(self, kernel_size, padding))
        self.least_sides = {"map": least_side(*self.window)}
        self.conv = conv2d(
            in_channels, dim, kernel_size, padding=self.window[1], bias=False, spectral_norm=spectral_norm
        )
        self.head = HEADS.build({"in_channels": dim, **head})
        self.emits, self.requires = self.head.emits, self.head.requires
        self.follows_init = self.head.follows_init
        # that head's map and pooled vector are made here; what else it looks at is the backbone's
        further = (name for name in self.head.reads if name not in ("pooled", *OnWindows.reads))
        self.reads = (*OnWindows.reads, *further)

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return what a head of these settings emits; None if the settings do not tell."""
        return emits_inside(settings)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return the head's tensors of the map (N, in_channels, h, w) under the condition."""
        seen = self.conv(map_of(self, features, "map", *self.window))
        pooled = at_least_float32(seen).mean((2, 3))
        return self.head({**features, "pooled": pooled, "map": seen}, condition)

    def realness(self, outputs: Mapping[str, Tensor]) -> Tensor | None:
        """Return what the head says of that."""
        return self.head.realness(outputs)

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor | None:
        """Return what the head says of that."""
        return self.head.class_scores(outputs)
