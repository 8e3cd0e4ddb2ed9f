"""What a backbone of any size emits."""

import torch


def check_size(kind, image_size, base_channels, width, cells):
    with torch.device("meta"):
        backbone = kind(image_size, base_channels=base_channels, attention_resolutions=())
        features = backbone(torch.empty(2, 3, image_size, image_size))
    assert backbone.out_channels == width
    assert features["map"].shape == (2, width, cells, cells)
    assert features["pooled"].shape == (2, width)
