"""Losses whose targets can be chosen, and the drift of logits."""

import pytest
import torch
from torch.nn import functional as F

from mmcgan.losses import AbsoluteLoss, LeastSquaresLoss, NonSaturatingLoss
from mmcgan.random import RandomStreams
from mmcgan.regularizers import GradientPenalty, LogitDrift, StepContext
from mmcgan.structures import Condition, GANBatch

LOGIT = torch.tensor([-2.0, 0.3, 1.5, 40.0])


@pytest.mark.parametrize(("real", "fake"), [(1.0, 0.0), (0.9, 0.1)])
def test_each_view_pulls_towards_its_target(real, fake):
    targets = {"real": real, "fake": fake, "generated": real}
    for view, target in targets.items():
        aim = torch.full_like(LOGIT, target)
        expected = {
            NonSaturatingLoss(real, fake): F.binary_cross_entropy_with_logits(LOGIT, aim),
            LeastSquaresLoss(1.0, real, fake): F.mse_loss(LOGIT, aim),
            AbsoluteLoss(real, fake): F.l1_loss(LOGIT, aim),
        }
        for loss, value in expected.items():
            torch.testing.assert_close(getattr(loss, view)(logit=LOGIT), value)


def test_a_target_is_a_probability():
    with pytest.raises(ValueError, match=r"real_target must lie in \[0, 1\], got 1\.2"):
        NonSaturatingLoss(real_target=1.2)


def context(score):
    batch = GANBatch(torch.zeros(2, 3, 4, 4), Condition())
    scores = {"adv.logit": LOGIT[:3]}
    return StepContext(batch, batch, torch.empty(0), scores, scores, score, score, RandomStreams())


def test_drift_is_the_mean_square_of_real_logits():
    expected = LOGIT[:3].square().mean()
    torch.testing.assert_close(LogitDrift()(context(None)), expected)
    with pytest.raises(ValueError, match="on='generator' is not possible"):
        LogitDrift(on="generator")


def test_a_penalty_per_pixel_asks_every_pixel_for_a_unit_gradient():
    def score(image, condition, augment=True):
        return {"adv.logit": 3 * image[:, 0, 0, 0] + 4 * image[:, 1, 0, 0]}

    whole, pixels = (GradientPenalty(per_pixel=each)(context(score)) for each in (False, True))
    assert whole.item() == pytest.approx((5 - 1) ** 2)
    assert pixels.item() == pytest.approx(((5 - 1) ** 2 + 15 * 1) / 16)
