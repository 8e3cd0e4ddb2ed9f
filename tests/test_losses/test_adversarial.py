"""Adversarial and classification losses: closed forms, gradients, stability."""

import math

import pytest
import torch

from mmcgan.losses import CrossEntropyLoss, HingeLoss, LeastSquaresLoss, NonSaturatingLoss, WassersteinLoss

LOGIT = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64)


def softplus(value):
    """Return log(1 + exp(value))."""
    return math.log1p(math.exp(value))


@pytest.mark.parametrize(
    ("loss", "real", "fake", "generated"),
    [
        (HingeLoss(), (3 + 0.5 + 0) / 3, (0 + 1.5 + 4) / 3, -0.5),
        (
            NonSaturatingLoss(),
            sum(softplus(-v) for v in (-2, 0.5, 3)) / 3,
            sum(softplus(v) for v in (-2, 0.5, 3)) / 3,
            sum(softplus(-v) for v in (-2, 0.5, 3)) / 3,
        ),
        (LeastSquaresLoss(), (9 + 0.25 + 4) / 6, (4 + 0.25 + 9) / 6, (9 + 0.25 + 4) / 6),
        (LeastSquaresLoss(scale=1.0), (9 + 0.25 + 4) / 3, (4 + 0.25 + 9) / 3, (9 + 0.25 + 4) / 3),
        (WassersteinLoss(), -0.5, 0.5, -0.5),
    ],
    ids=["hinge", "non-saturating", "least squares", "least squares without 1/2", "wasserstein"],
)
def test_closed_forms(loss, real, fake, generated):
    for view, expected in (("real", real), ("fake", fake), ("generated", generated)):
        assert getattr(loss, view)(LOGIT).item() == pytest.approx(expected, rel=1e-12), view


@pytest.mark.parametrize("loss", [NonSaturatingLoss(), LeastSquaresLoss(), WassersteinLoss(), HingeLoss()])
@pytest.mark.parametrize("view", ["real", "fake", "generated"])
def test_gradcheck(loss, view):
    assert torch.autograd.gradcheck(getattr(loss, view), LOGIT.clone().requires_grad_())


def test_logistic_loss_is_finite_for_huge_logits():
    logit = torch.tensor([-1e4, 1e4], requires_grad=True)
    (NonSaturatingLoss().real(logit) + NonSaturatingLoss().fake(logit)).backward()
    assert torch.isfinite(logit.grad).all()


def test_hinge_stops_pushing_beyond_the_margin():
    logit = torch.tensor([1.5, 0.5], requires_grad=True)
    HingeLoss().real(logit).backward()
    assert logit.grad.tolist() == [0.0, -0.5]


def test_cross_entropy_is_minus_the_log_probability_in_every_view():
    logits, label = torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([1])
    expected = -math.log(math.exp(2) / (math.exp(1) + math.exp(2) + 1))
    for view in ("real", "fake", "generated"):
        assert getattr(CrossEntropyLoss(), view)(logits, label).item() == pytest.approx(expected, rel=1e-6)
