"""What BigGAN's backbones emit, at every size of their papers and some more."""

import pytest
import torch

from mmcgan.models.backbones import BigGANBackbone, BigGANDeepBackbone


@pytest.mark.parametrize(
    ("image_size", "multiple", "cells"),
    [(16, 4, 4), (32, 4, 8), *((size, 16, 4) for size in (64, 128, 256, 512))],
)
@pytest.mark.parametrize(("kind", "base_channels"), [(BigGANBackbone, 2), (BigGANDeepBackbone, 4)])
def test_every_size(kind, base_channels, image_size, multiple, cells):
    with torch.device("meta"):
        backbone = kind(image_size, base_channels=base_channels, attention_resolutions=())
        features = backbone(torch.empty(2, 3, image_size, image_size))
    width = base_channels * multiple
    assert backbone.out_channels == width
    assert features["map"].shape == (2, width, cells, cells)
    assert features["pooled"].shape == (2, width)
