"""The small residual network behind the classifiers that ship with the package."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def normalised_convolution(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1
) -> nn.Sequential:
    """Return a convolution without bias that keeps the size, and its batch norm."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))


class ResidualStage(nn.Module):
    """Two 3x3 convolutions, the first with stride 2, and a 1x1 shortcut; He et al. 2016."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = normalised_convolution(in_channels, out_channels, 3, stride=2)
        self.conv2 = normalised_convolution(out_channels, out_channels, 3)
        self.shortcut = normalised_convolution(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, h/2, w/2) from (N, in_channels, h, w)."""
        # A 1x1 convolution of stride 2 sees every other pixel. oneDNN's own one writes beyond its memory in
        # the backward pass with AVX-512, channels-last float32 and fewer than 16 channels (torch 2.14).
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.shortcut(x[:, :, ::2, ::2]))


class SmallNetwork(nn.Module):
    """Stem, residual stages that each halve the side, average pooling, one linear layer.

    Args:
        num_classes: number of logits.
        widths: channels of the stem and of every stage; the last is the feature dimension.
    """

    def __init__(self, num_classes: int, widths: Sequence[int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.num_classes = num_classes
        self.stem = normalised_convolution(3, widths[0], 3)
        self.stages = nn.Sequential(*(ResidualStage(before, after) for before, after in pairwise(widths)))
        self.classifier = nn.Linear(widths[-1], num_classes)

    def features(self, pixels: Tensor) -> Tensor:
        """Return (N, widths[-1]), non-negative, from normalised images (N, 3, H, W)."""
        maps = self.stages(F.relu(self.stem(pixels)))
        return maps.float().mean(dim=(2, 3))

    def maps(self, pixels: Tensor) -> list[Tensor]:
        """Return the maps behind the stem and every stage: strides 1, 2, 4, ..."""
        found = [F.relu(self.stem(pixels))]
        for stage in self.stages:
            found.append(stage(found[-1]))
        return found

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, F) and logits (N, C)."""
        features = self.features(pixels)
        return features, self.classifier(features)


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw convolutions and linear layers from He et al. 2015's normal law, biases zero."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.data.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            if module.bias is not None:
                module.bias.data.zero_()
