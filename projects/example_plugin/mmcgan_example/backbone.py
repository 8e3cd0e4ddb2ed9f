"""A backbone of one's own, as in docs/extending/backbone.md."""

from torch import nn

from mmcgan.models.backbones import Backbone
from mmcgan.registry import BACKBONES


@BACKBONES.register_module()
class TwoConvolutions(Backbone):
    """Two convolutions of stride 2."""

    emits = ("pooled", "map")

    def __init__(self, base_channels: int = 32) -> None:
        super().__init__()
        self.out_channels = 2 * base_channels
        self.first = nn.Conv2d(3, base_channels, 3, stride=2, padding=1)
        self.second = nn.Conv2d(base_channels, self.out_channels, 3, stride=2, padding=1)

    def forward(self, image):
        """Return the features of images (N, 3, H, W)."""
        x = self.second(self.first(image).relu()).relu()
        return {"pooled": x.sum((2, 3)), "map": x}
