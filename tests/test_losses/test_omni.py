"""The omni-loss: the paper's figures, brute-force values, targets by view, extremes."""

import math

import pytest
import torch

from mmcgan.losses import OmniLoss, omni_loss


def brute_force(score, positives, negatives):
    """Omni-GAN, Eq. 5, written out with plain exponentials."""
    low = math.log(1 + sum(math.exp(score[i]) for i in negatives))
    return low + math.log(1 + sum(math.exp(-score[i]) for i in positives))


def masks(size, positives, negatives):
    """Return the two boolean masks (1, size)."""
    positive, negative = torch.zeros(1, size, dtype=torch.bool), torch.zeros(1, size, dtype=torch.bool)
    positive[0, list(positives)] = True
    negative[0, list(negatives)] = True
    return positive, negative


@pytest.mark.parametrize(("value", "expected"), [(4.0, 0.982), (0.0, 0.5), (-4.0, 0.018)])
def test_gradient_of_a_negative_score_is_the_figure_in_the_paper(value, expected):
    score = torch.tensor([[value, 0.0]], dtype=torch.float64, requires_grad=True)
    omni_loss(score, *masks(2, [1], [0])).sum().backward()
    assert score.grad[0, 0].item() == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("values", "expected"), [((-2.0, 0.0), (-0.787, -0.107)), ((0.0, 0.0), (-1 / 3, -1 / 3))]
)
def test_two_positive_scores_share_the_gradient_as_in_the_paper(values, expected):
    score = torch.tensor([values], dtype=torch.float64, requires_grad=True)
    omni_loss(score, *masks(2, [0, 1], [])).sum().backward()
    assert score.grad[0].tolist() == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("one_sided", [False, True])
def test_targets_of_each_view(one_sided):
    """C = 3 classes; column 3 is "real", column 4 "fake"."""
    score = torch.randn(1, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    label, row = torch.tensor([1]), score[0].tolist()
    loss = OmniLoss(one_sided=one_sided)
    others = [] if one_sided else [0, 2, 4]
    as_real = brute_force(row, [1, 3], others)
    as_fake = brute_force(row, [], [1, 3]) if one_sided else brute_force(row, [4], [0, 1, 2, 3])
    assert loss.real(score, label).item() == pytest.approx(as_real, rel=1e-12)
    assert loss.generated(score, label).item() == pytest.approx(as_real, rel=1e-12)
    assert loss.fake(score, label).item() == pytest.approx(as_fake, rel=1e-12)


def test_several_positive_attributes_equal_the_brute_force_and_one_attribute_equals_the_label():
    score = torch.randn(1, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    both = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    expected = brute_force(score[0].tolist(), [0, 2, 4], [1, 3, 5])
    assert OmniLoss().real(score, attributes=both).item() == pytest.approx(expected, rel=1e-12)
    single, label = torch.tensor([[0.0, 0.0, 0.0, 1.0]]), torch.tensor([3])
    assert torch.equal(OmniLoss().real(score, attributes=single), OmniLoss().real(score, label))


def test_margin_and_gamma_enter_before_the_sign_flip():
    score, label = torch.tensor([[0.3, -0.2, 0.1, 0.5]], dtype=torch.float64), torch.tensor([0])
    scaled = [(value + 0.25) * 2 for value in score[0].tolist()]
    expected = brute_force(scaled, [0, 2], [1, 3])
    assert OmniLoss(margin=0.25, gamma=2.0).real(score, label).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", [50.0, 1e4])
@pytest.mark.parametrize("view", ["real", "fake", "generated"])
@pytest.mark.parametrize("one_sided", [False, True])
def test_extreme_scores_stay_finite_with_bounded_gradients(size, view, one_sided):
    score = torch.tensor([[size, -size, size, -size, size]], requires_grad=True)
    value = getattr(OmniLoss(one_sided=one_sided), view)(score, torch.tensor([1]))
    value.backward()
    assert torch.isfinite(value)
    assert score.grad.abs().max() <= 1.0


def test_ignored_scores_receive_exactly_no_gradient():
    score = torch.randn(2, 5, requires_grad=True)
    OmniLoss(one_sided=True).real(score, torch.tensor([0, 2])).backward()
    ignored = torch.tensor([[False, True, True, False, True], [True, True, False, False, True]])
    assert (score.grad[ignored] == 0).all()
    assert (score.grad[~ignored] < 0).all()


def test_dense_maps_average_over_space():
    score, label = torch.randn(2, 5, 3, 4), torch.tensor([0, 2])
    each = [
        OmniLoss().real(score[:, :, i, j], label)
        for i in range(score.shape[2])
        for j in range(score.shape[3])
    ]
    assert torch.allclose(OmniLoss().real(score, label), torch.stack(each).mean())


@pytest.mark.parametrize("view", ["real", "fake", "generated"])
def test_gradcheck(view):
    score = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    label = torch.tensor([0, 3, 1])
    assert torch.autograd.gradcheck(lambda s: getattr(OmniLoss(0.1, 1.5), view)(s, label), score)


def test_bad_settings_and_targets_are_named():
    with pytest.raises(ValueError, match="gamma must be positive, got 0"):
        OmniLoss(gamma=0)
    with pytest.raises(ValueError, match="exactly one of 'label', 'attributes' and 'label_map'"):
        OmniLoss().real(torch.zeros(1, 5))
    with pytest.raises(ValueError, match="attributes have 2 columns, the score 3"):
        OmniLoss().real(torch.zeros(1, 5), attributes=torch.zeros(1, 2))
