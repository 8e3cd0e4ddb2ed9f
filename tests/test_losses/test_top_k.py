"""Top-k: the schedule, which images count, settings."""

import pytest
import torch

from mmcgan.losses import HingeLoss, TopKLoss, top_k_size

LOGIT = torch.tensor([0.5, -2.0, 3.0, 1.0])


def test_k_shrinks_by_gamma_an_epoch_down_to_its_floor():
    sizes = [top_k_size(10, epoch, 0.5, 0.35) for epoch in range(4)]
    assert sizes == [10, 5, 3, 3]


def test_only_the_highest_logits_teach_the_generator():
    loss = TopKLoss({"type": "HingeLoss"}, epoch_length=5, gamma=0.5, nu=0.25)
    logit = LOGIT.clone().requires_grad_()
    assert loss.generated(logit, torch.tensor(4)).item() == pytest.approx(-2.5 / 4)
    value = loss.generated(logit, torch.tensor(5))
    value.backward()
    assert value.item() == pytest.approx(-2.0)
    assert logit.grad.tolist() == [0, 0, -0.5, -0.5]


def test_the_discriminator_learns_from_all():
    loss, number = TopKLoss({"type": "HingeLoss"}, epoch_length=1, gamma=0.1, nu=0.1), torch.tensor(99)
    assert loss.real(LOGIT, number) == HingeLoss().real(LOGIT)
    assert loss.fake(LOGIT, number) == HingeLoss().fake(LOGIT)


def test_at_least_one_image_counts():
    loss = TopKLoss({"type": "HingeLoss"}, epoch_length=1, gamma=0.1, nu=0.1)
    assert loss.generated(LOGIT, torch.tensor(50)).item() == -3.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": 0}, r"gamma must lie in \(0, 1\], got 0"),
        ({"nu": 1.5}, r"nu must lie in \(0, 1\], got 1.5"),
        ({"epoch_length": 0}, "epoch_length must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        TopKLoss(**{"loss": {"type": "HingeLoss"}, "epoch_length": 1, **arguments})
