"""The SPADE layer and block, against the definition."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from mmcgan.label_maps import one_hot_map
from mmcgan.models.layers.spade import SPADE, SPADEBlock

X = torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(0))
MAP = one_hot_map(torch.randint(3, (2, 12, 10), generator=torch.Generator().manual_seed(1)), 3)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_features_are_normalised_then_modulated_by_the_map(norm):
    layer = SPADE(4, 3, norm=norm, hidden_channels=8)
    axes = (0, 2, 3) if norm == "batch" else (2, 3)
    variance, mean = torch.var_mean(X, axes, correction=0, keepdim=True)
    normalised = (X - mean) / (variance + 1e-5).sqrt()
    hidden = F.relu(layer.shared(MAP[:, :, ::2, ::2]))
    expected = normalised * (1 + layer.gain(hidden)) + layer.bias(hidden)
    torch.testing.assert_close(layer(X, MAP), expected, rtol=1e-4, atol=1e-5)


def test_a_change_of_the_map_acts_near_it_only():
    layer = SPADE(4, 3, hidden_channels=8).eval()
    changed = MAP.clone()
    changed[:, :, 0, 0] = 1 - changed[:, :, 0, 0]
    moved = (layer(X, changed) - layer(X, MAP)).abs().amax((0, 1)) > 1e-7
    rows, columns = moved.nonzero().T
    assert rows.max() <= 2 and columns.max() <= 2  # two 3x3 convolutions
    assert moved[0, 0]


def test_a_block_learns_its_shortcut_only_where_channels_change():
    norm = partial(SPADE, map_channels=3, hidden_channels=8)
    same, other = SPADEBlock(4, 4, norm), SPADEBlock(4, 2, norm)
    for convolution in (same.conv2, other.conv2):
        torch.nn.init.zeros_(convolution.weight)
        torch.nn.init.zeros_(convolution.bias)
        convolution.spectral = torch.nn.Identity()  # zero has no singular vector
    torch.testing.assert_close(same(X, MAP), X)
    assert other(X, MAP).shape == (2, 2, 6, 5)
    assert not hasattr(same, "shortcut") and other.shortcut.bias is None
    assert not any("spectral" in name for name, _ in same.norm1.named_modules())


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="norm: unknown name 'bach'"):
        SPADE(4, 3, norm="bach")
    with pytest.raises(ValueError, match="kernel_size must be odd and positive, got 4"):
        SPADE(4, 3, kernel_size=4)
