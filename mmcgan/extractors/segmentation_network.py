"""The small network that says what every pixel shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.extractors.small_network import ResidualStage, normalised_convolution


class SegmentationNetwork(nn.Module):
    """An encoder of residual stages and a decoder that sees its maps again (Ronneberger et al. 2015).

    Takes images of any size.

    Args:
        num_classes: number of logits of a pixel.
        widths: channels of the stem and of every stage; the last is the feature dimension.
    """

    def __init__(self, num_classes: int, widths: Sequence[int] = (16, 24, 48, 64)) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.num_classes = num_classes
        self.stem = normalised_convolution(3, widths[0], 3)
        self.stages = nn.ModuleList(ResidualStage(before, after) for before, after in pairwise(widths))
        steps = list(pairwise(reversed(self.widths)))
        self.decoder = nn.ModuleList(
            normalised_convolution(deep + shallow, shallow, 3) for deep, shallow in steps
        )
        self.classifier = nn.Conv2d(widths[0], num_classes, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, F), non-negative, and logits (N, C, H, W) of images (N, 3, H, W)."""
        maps = [F.relu(self.stem(pixels))]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        features = maps[-1].float().mean(dim=(2, 3))
        x = maps.pop()
        for step in self.decoder:
            skip = maps.pop()
            x = F.relu(step(torch.cat([F.interpolate(x, skip.shape[-2:]), skip], dim=1)))
        return features, self.classifier(x)
