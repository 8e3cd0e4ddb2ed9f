"""Top-k: the schedule, which images count, settings."""

import pytest
import torch

from mmcgan.losses import HingeLoss, TopKLoss, top_k_size
from mmcgan.registry import LOSSES

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


def wrappable():
    """Return the losses of ours that top-k takes: on one logit, in all views."""
    found = {name: LOSSES.get(name) for name in LOSSES.names()}
    return sorted(
        name
        for name, kind in found.items()
        if kind.__module__.startswith("mmcgan.losses")
        and set(kind.default_inputs) == {"logit"}
        and {"real", "fake", "generated"} <= set(kind.implemented_views())
    )


@pytest.mark.parametrize("name", wrappable())
@pytest.mark.parametrize("shape", [(1,), (6, 6), (1, 3, 5), (2, 2)], ids=str)
def test_of_a_map_of_logits_images_are_chosen_whole_by_their_mean(name, shape):
    """Image 3 has the highest position of all and the lowest mean."""
    logit = torch.randn(16, *shape, generator=torch.Generator().manual_seed(1))
    if logit[0].numel() > 1:
        logit[3] = -5.0
        logit[3].view(-1)[0] = 10.0
    best = logit.flatten(1).mean(1).argsort(descending=True)[:4]
    assert 3 not in best.tolist() or logit[0].numel() == 1
    logit.requires_grad_()
    value = TopKLoss({"type": name}, epoch_length=1, gamma=0.5, nu=0.25).generated(logit, torch.tensor(9))
    value.backward()
    assert value.item() == LOSSES.build({"type": name}).generated(logit.detach()[best]).item()
    taught = logit.grad.flatten(1).abs().sum(1).nonzero().flatten()
    assert set(taught.tolist()) == set(best.tolist())


@pytest.mark.parametrize("name", wrappable())
def test_of_plain_logits_the_values_and_gradients_are_the_bits_of_the_k_highest(name):
    logit = torch.randn(33, generator=torch.Generator().manual_seed(2)).requires_grad_()
    given = TopKLoss({"type": name}, epoch_length=1, nu=0.4, gamma=0.5).generated(logit, torch.tensor(9))
    expected = LOSSES.build({"type": name}).generated(logit.topk(13).values)
    gradients = [torch.autograd.grad(value, logit)[0] for value in (given, expected)]
    assert torch.equal(given, expected) and torch.equal(*gradients)


def test_two_losses_at_least_are_wrapped():
    assert {"HingeLoss", "NonSaturatingLoss"} <= set(wrappable())


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
