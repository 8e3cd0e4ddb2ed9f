"""An augmentation of one's own, as in docs/extending/augment.md."""

import torch

from mmcgan.augments import Augment
from mmcgan.registry import AUGMENTS


@AUGMENTS.register_module()
class RandomBrightness(Augment):
    """Adds one number in [-strength, strength] to each image."""

    def __init__(self, strength: float = 0.2, same_draw: bool = False) -> None:
        super().__init__(same_draw)
        if strength < 0:
            raise ValueError(f"RandomBrightness: strength must not be negative, got {strength}")
        self.strength = strength

    def transform(self, image: torch.Tensor, draws) -> torch.Tensor:
        """Return the images changed."""
        shift = self.strength * (2 * draws.uniform("brightness") - 1)
        return image + shift[:, None, None, None]
