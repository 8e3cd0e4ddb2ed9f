from functools import partial

import pytest
import torch
from torch.nn import functional as F

from mmcgan.models.layers import DownBlock, DownBlockOptions, PlainBatchNorm, UpBlock


def convolve(layer, value):
    """Convolve by the layer's weight, without the change of size that the layer may include."""
    return F.conv2d(value, layer.weight, layer.bias, padding=layer.weight.shape[2] // 2)


def test_up_block_formula():
    torch.manual_seed(0)
    block = UpBlock(4, 6, norm=PlainBatchNorm).eval()
    x = torch.randn(2, 4, 3, 3)

    def enlarge(value):
        return value.repeat_interleave(2, 2).repeat_interleave(2, 3)

    h = convolve(block.conv1, enlarge(block.norm1(x).relu()))
    expected = convolve(block.conv2, block.norm2(h).relu()) + convolve(block.shortcut, enlarge(x))
    torch.testing.assert_close(block(x), expected)


def test_up_block_keeps_its_input_where_shapes_agree():
    block = UpBlock(4, 4, norm=PlainBatchNorm, upsample=False)
    torch.nn.init.zeros_(block.conv2.weight)
    torch.nn.init.zeros_(block.conv2.bias)
    x = torch.randn(2, 4, 3, 3)
    assert block.shortcut is None
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("activated", [True, False])
def test_down_block_formula(first, activated):
    torch.manual_seed(0)
    block = DownBlock(4, 6, first=first, options=DownBlockOptions(activated_shortcut=activated))
    x = torch.randn(2, 4, 4, 4)
    before = x if first else x.relu()
    main = F.avg_pool2d(convolve(block.conv2, convolve(block.conv1, before).relu()), 2)
    skip = before if activated else x
    shortcut = F.avg_pool2d(convolve(block.shortcut, skip), 2)
    torch.testing.assert_close(block(x), main + shortcut)


def test_batch_norm_keeps_the_shortcut_from_being_activated():
    torch.manual_seed(0)
    norm = partial(PlainBatchNorm)
    kept = DownBlock(4, 4, downsample=False, norm=norm, options=DownBlockOptions(activated_shortcut=True))
    torch.nn.init.zeros_(kept.conv2.weight)
    torch.nn.init.zeros_(kept.conv2.bias)
    x = torch.randn(2, 4, 4, 4)
    assert torch.equal(kept(x), x)


def test_thin_block_works_at_the_input_width():
    thin = DownBlock(4, 8, options=DownBlockOptions(wide=False))
    assert thin.conv1.weight.shape[:2] == (4, 4)
    assert thin.conv2.weight.shape[:2] == (8, 4)
