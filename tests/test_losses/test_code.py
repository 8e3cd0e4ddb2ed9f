"""InfoGAN's code losses against torch's distributions and by gradient."""

import pytest
import torch
from torch.distributions import Normal

from mmcgan.losses import categorical_code_loss, gaussian_code_loss


def test_gaussian_code_loss_is_minus_the_log_density():
    code, mean = torch.randn(2, 5, 3, dtype=torch.float64)
    variance = torch.rand(5, 3, dtype=torch.float64) + 0.5
    expected = -Normal(mean, variance.sqrt()).log_prob(code).sum(1).mean()
    assert gaussian_code_loss(code, mean, variance).item() == pytest.approx(expected.item(), rel=1e-5)
    leaves = (mean.requires_grad_(), variance.requires_grad_())
    assert torch.autograd.gradcheck(lambda m, v: gaussian_code_loss(code, m, v), leaves)


def test_a_vanishing_variance_stays_finite():
    value = gaussian_code_loss(torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(1, 1))
    assert torch.isfinite(value)


def test_categorical_code_loss_sums_over_codes():
    logits = torch.randn(4, 2, 5, dtype=torch.float64)
    code = torch.tensor([[0, 1], [2, 3], [4, 0], [1, 1]])
    picked = logits.log_softmax(2).gather(2, code[..., None]).squeeze(2)
    assert categorical_code_loss(logits, code).item() == pytest.approx(-picked.sum(1).mean().item())
