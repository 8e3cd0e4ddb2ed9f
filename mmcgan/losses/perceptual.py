"""Distance of images in the features of a classification network (Johnson et al. 2016; pix2pixHD)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.checkpoints.files import load_checkpoint, load_weights
from mmcgan.extractors.weight_files import find_known
from mmcgan.losses.base import Inputs, PairedLoss
from mmcgan.registry import LOSSES

#: Convolutions of VGG19 by position in torchvision's list: in and out channels. What follows each is a
#: ReLU; before those in ``POOLED`` stands a 2x2 max-pooling.
CONVOLUTIONS: dict[int, tuple[int, int]] = {
    0: (3, 64),
    2: (64, 64),
    5: (64, 128),
    7: (128, 128),
    10: (128, 256),
    12: (256, 256),
    14: (256, 256),
    16: (256, 256),
    19: (256, 512),
    21: (512, 512),
    23: (512, 512),
    25: (512, 512),
    28: (512, 512),
}
POOLED = (5, 10, 19, 28)
#: Convolutions whose ReLU is a tap: relu1_1, relu2_1, relu3_1, relu4_1, relu5_1.
TAPS = (0, 5, 10, 19, 28)
WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


class VGG19Features(nn.Module):
    """The first 13 convolutions of VGG19, frozen; its five taps are relu1_1, ..., relu5_1.

    Images go in as they are, in [-1, 1], as in pix2pixHD and SPADE: no mean, no deviation, no resizing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {str(place): nn.Conv2d(*channels, 3, padding=1) for place, channels in CONVOLUTIONS.items()}
        )
        self.requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the five taps of images (N, 3, H, W); H and W at least 16."""
        taps, x = [], image
        for place in CONVOLUTIONS:
            if place in POOLED:
                x = F.max_pool2d(x, 2)
            x = F.relu(self.features[str(place)](x))
            if place in TAPS:
                taps.append(x)
        return taps

    def load(self, path: Path) -> VGG19Features:
        """Load torchvision's state dict of VGG19; what lies behind the last tap is left out.

        Raises:
            CheckpointError: the file is damaged or holds other weights.
        """
        given = load_checkpoint(path)
        load_weights(self, {key: given[key] for key in self.state_dict() if key in given}, str(path))
        return self


class Frozen:
    """Holds a network where a module does not see it: its weights enter no checkpoint."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network.eval().requires_grad_(False)

    def __call__(self, image: Tensor) -> Sequence[Tensor]:
        """Return the network's features, computed where the image is."""
        weight = next(self.network.parameters(), image)
        if weight.device != image.device:
            self.network.to(image.device)
        return self.network(image)


@LOSSES.register_module()
class PerceptualLoss(PairedLoss):
    """Weighted sum of mean absolute differences in VGG19's taps, of generated and real images in pairs.

    Args:
        weights_file: torchvision's weights of VGG19; looked for in the user's cache folder if None.
            Nothing is downloaded.
        tap_weights: factors of the taps, from the shallowest.
        features: another network, image (N, 3, H, W) in [-1, 1] -> sequence of feature maps, in place
            of VGG19.

    Raises:
        FileNotFoundError: there is no file of weights.
        ValueError: the file is another one, or not one weight for every tap.
    """

    input_names: ClassVar[tuple[str, ...]] = ("image",)
    default_inputs: ClassVar[Mapping[str, str]] = {"image": "image"}
    needs_real_in_generator_step: ClassVar[bool] = True

    def __init__(
        self,
        weights_file: str | None = None,
        tap_weights: Sequence[float] = WEIGHTS,
        features: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if features is None:
            path = find_known("vgg19", weights_file, "PerceptualLoss", "weights_file")
            features = VGG19Features().load(path)
        if len(tap_weights) != len(TAPS) and isinstance(features, VGG19Features):
            given = list(tap_weights)
            raise ValueError(f"PerceptualLoss: tap_weights must be {len(TAPS)} numbers, got {given}")
        self.features, self.tap_weights = Frozen(features), tuple(tap_weights)

    def generator(self, fake: Inputs, real: Inputs) -> Tensor:
        """Return the scalar; images (N, 3, H, W) in [-1, 1] on both sides."""
        distances = torch.stack(self.distances(fake["image"], real["image"]))
        return (distances * distances.new_tensor(self.tap_weights)).sum()

    def distances(self, fake: Tensor, real: Tensor) -> list[Tensor]:
        """Return the distance in every tap, unweighted."""
        with torch.no_grad():
            theirs = self.features(real)
        return [F.l1_loss(a, b) for a, b in zip(self.features(fake), theirs, strict=True)]
