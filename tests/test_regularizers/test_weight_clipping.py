"""Weight clipping: what is clipped, and settings."""

import pytest
import torch
from torch import nn

from mmcgan.regularizers import WeightClipping


def test_every_parameter_is_clipped_and_small_ones_are_left():
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -0.05]]))
        layer.bias.fill_(-3.0)
    WeightClipping(bound=0.1).after_step(layer)
    assert layer.weight.flatten().tolist() == pytest.approx([0.1, -0.05])
    assert layer.bias.item() == pytest.approx(-0.1)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="WeightClipping: bound must be positive, got 0"):
        WeightClipping(bound=0)
