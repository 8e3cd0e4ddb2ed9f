"""InfoGAN's heads: shapes, pooling, positive variances."""

import pytest
import torch

from mmcgan.models.heads import ContinuousCodeHead, DiscreteCodeHead
from mmcgan.structures import Condition

MAP = torch.randn(4, 6, 3, 2, generator=torch.Generator().manual_seed(0))
# a sum-pooled backbone: the heads must not depend on how it pools
FEATURES = {"map": MAP, "pooled": MAP.sum((2, 3))}


def test_discrete_logits_are_a_row_for_every_code_of_the_mean_feature():
    head = DiscreteCodeHead(6, codes=2, values=5, spectral_norm=False)
    logits = head(FEATURES, Condition())["logits"]
    assert logits.shape == (4, 2, 5)
    assert torch.allclose(logits[:, 1], MAP.mean((2, 3)) @ head.linear.weight[5:].T, atol=1e-6)


def test_the_variance_is_positive_and_the_exponential_of_a_linear_map():
    head = ContinuousCodeHead(6, codes=3, spectral_norm=False)
    outputs = head(FEATURES, Condition())
    assert outputs["mean"].shape == outputs["variance"].shape == (4, 3)
    expected = (MAP.mean((2, 3)) @ head.log_variance.weight.T).exp()
    assert torch.allclose(outputs["variance"], expected, rtol=1e-5)


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="codes >= 1 and values >= 2, got codes=1, values=1"):
        DiscreteCodeHead(6, codes=1, values=1)
    with pytest.raises(ValueError, match="ContinuousCodeHead: codes must be at least 1, got 0"):
        ContinuousCodeHead(6, codes=0)
