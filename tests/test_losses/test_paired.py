"""Losses that compare real with generated: closed forms, running averages, settings."""

import io
import math

import pytest
import torch

from mmcgan.losses import FeatureMatchingLoss, LeCamLoss, RelativisticLoss

REAL = torch.tensor([1.0, 2.0], dtype=torch.float64)
FAKE = torch.tensor([-1.0, 3.0], dtype=torch.float64)


def softplus(value):
    """Return log(1 + exp(value))."""
    return math.log1p(math.exp(value))


def step(loss, real, fake, iteration):
    """Return the loss's term of one discriminator step."""
    number = torch.tensor(iteration)
    return loss.discriminator({"logit": real, "iteration": number}, {"logit": fake, "iteration": number})


def test_relativistic_loss_pairs_in_order():
    loss = RelativisticLoss()
    real, fake = {"logit": REAL}, {"logit": FAKE}
    assert loss.discriminator(real, fake).item() == pytest.approx((softplus(-2) + softplus(1)) / 2)
    assert loss.generator(fake, real).item() == pytest.approx((softplus(2) + softplus(-1)) / 2)


def test_relativistic_loss_refuses_unequal_batches():
    with pytest.raises(ValueError, match="2 real and 1 generated do not fit"):
        RelativisticLoss().generator({"logit": FAKE[:1]}, {"logit": REAL})


def test_feature_matching_moves_generated_features_only():
    real = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    fake = torch.tensor([[0.0, 5.0]], requires_grad=True)
    value = FeatureMatchingLoss().generator({"feature": fake}, {"feature": real})
    value.backward()
    assert value.item() == pytest.approx((2 + 2) / 2)
    assert fake.grad.tolist() == [[-0.5, 0.5]] and real.grad is None


def test_lecam_is_its_closed_form_after_two_batches():
    loss = LeCamLoss(decay=0.75).double()
    assert step(loss, REAL, FAKE, 0) == 0
    value = step(loss, REAL + 4, FAKE - 4, 1)
    average_real, average_fake = 1.5 + 0.25 * 4, 1.0 - 0.25 * 4
    expected = ((5 - average_fake) ** 2 + (6 - average_fake) ** 2) / 2
    expected += ((average_real + 5) ** 2 + (average_real + 1) ** 2) / 2
    assert value.item() == pytest.approx(expected)


def test_lecam_waits_and_follows_before_its_start():
    loss = LeCamLoss(decay=0.9, start=2)
    for iteration in range(2):
        assert step(loss, REAL + iteration, FAKE, iteration) == 0
    assert loss.real_average.item() == pytest.approx(2.5)
    assert step(loss, REAL + 1, FAKE, 2) == 0
    assert step(loss, REAL + 1, FAKE, 3) > 0


def test_the_averages_of_lecam_survive_a_checkpoint():
    loss, resumed = LeCamLoss(), LeCamLoss()
    for iteration in range(3):
        step(loss, REAL + iteration, FAKE, iteration)
    file = io.BytesIO()
    torch.save(loss.state_dict(), file)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert step(resumed, REAL, FAKE, 3) == step(loss, REAL, FAKE, 3)


def test_the_averages_of_lecam_carry_no_gradient():
    loss = LeCamLoss()
    leaf = REAL.clone().requires_grad_()
    loss.update(leaf, leaf, 0)
    assert not loss.real_average.requires_grad
    assert torch.autograd.gradcheck(loss.double().penalty, (leaf, FAKE.clone().requires_grad_()))


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match=r"LeCamLoss: decay must lie in \[0, 1\), got 1"):
        LeCamLoss(decay=1)
    with pytest.raises(ValueError, match="LeCamLoss: start must be at least 0, got -1"):
        LeCamLoss(start=-1)
