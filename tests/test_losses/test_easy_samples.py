"""What D2D-CE says of itself: which samples its margins leave in peace, and that these get no gradient."""

import pytest
import torch

from mmcgan.losses import D2DCELoss, HingeLoss
from mmcgan.models.wiring import WiredLoss

AVAILABLE = ["cls.embed", "cls.proxy", "cond.label", "train.iteration", "adv.logit"]


def batch():
    """Return two classes, at 0 and 90 degrees: one sample on its proxy, the others 60 degrees away."""
    angle = torch.tensor([0.0, 60.0, 90.0, 150.0]).deg2rad()
    embed = torch.stack([angle.cos(), angle.sin()], 1)
    proxy = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5], [0.0, 1.0]])
    return {"embed": embed, "proxy": proxy, "label": torch.tensor([0, 0, 1, 1])}


def test_easy_samples_are_counted():
    # cosines of the pairs of other classes: 0 and 90: 0, 0 and 150: -0.87, 60 and 90: 0.87, 60 and 150: 0
    found = D2DCELoss(positive_margin=0.98, negative_margin=0.02).figures(batch())
    assert found["easy_positives"].item() == pytest.approx(1 / 4)
    assert found["easy_negatives"].item() == pytest.approx(3 / 4)


def test_an_easy_positive_gets_no_gradient_from_its_proxy():
    inputs = batch()
    proxy = inputs["proxy"].requires_grad_()
    D2DCELoss(positive_margin=0.98).real(inputs["embed"], proxy, inputs["label"]).backward()
    lengths = proxy.grad.norm(dim=1)
    assert lengths[0] == 0 and (lengths[1:] > 0.01).all()


def test_without_negatives_none_is_easy():
    inputs = {**batch(), "label": torch.zeros(4, dtype=torch.int64)}
    assert D2DCELoss().figures(inputs)["easy_negatives"] == 0


def test_only_losses_that_have_figures_are_asked():
    named = {"cls.embed": batch()["embed"], "cls.proxy": batch()["proxy"], "cond.label": batch()["label"]}
    wired = WiredLoss("contrastive", D2DCELoss(), None, 1.0, AVAILABLE)
    named["train.iteration"] = torch.tensor(0)
    assert sorted(wired.figures(named)) == ["contrastive.easy_negatives", "contrastive.easy_positives"]
    assert WiredLoss("adversarial", HingeLoss(), None, 1.0, AVAILABLE).figures({}) == {}
