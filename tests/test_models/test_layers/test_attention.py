import pytest
import torch

from mmcgan.models.layers import SelfAttention
from mmcgan.models.layers.attention import attention_places


def test_starts_as_the_identity():
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(SelfAttention(8, spectral_norm=True)(x), x)


def test_formula_position_by_position():
    torch.manual_seed(0)
    layer = SelfAttention(16)
    layer.gamma.data.fill_(0.7)
    x = torch.randn(1, 16, 4, 6)

    def projected(conv, pool):
        y = torch.einsum("oc,chw->ohw", conv.weight[:, :, 0, 0], x[0])
        return torch.nn.functional.max_pool2d(y, 2) if pool else y

    query, key, value = (
        projected(layer.query, False),
        projected(layer.key, True),
        projected(layer.value, True),
    )
    expected = x.clone()
    for i in range(4):
        for j in range(6):
            scores = (query[:, i, j, None, None] * key).sum(0)  # not divided by sqrt(depth)
            mixed = (value * scores.flatten().softmax(0).view_as(scores)).sum((1, 2))
            expected[0, :, i, j] += 0.7 * (layer.output.weight[:, :, 0, 0] @ mixed)
    torch.testing.assert_close(layer(x), expected)


def test_too_few_channels():
    with pytest.raises(ValueError, match="at least 8 channels, got 4"):
        SelfAttention(4)


def test_places_by_size_and_by_block():
    assert attention_places([8, 16, 32], (16, 64), None) == [1]
    assert attention_places([16, 8, 8], (8,), None) == [1, 2]
    assert attention_places([8, 16, 32], (16,), (2, 0)) == [0, 2]
    with pytest.raises(ValueError, match=r"attention_blocks: 3 is not in 0\.\.2"):
        attention_places([8, 16, 32], (), (3,))
