"""Multi-hinge, ImAC and ADC: closed forms, targets of each view, gradients."""

import math

import pytest
import torch

from mmcgan.losses import DiscriminativeClassifierLoss, ImprovedClassificationLoss, MultiHingeLoss

# two classes and "generated"
LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.25, 1.0]], dtype=torch.float64)
LABEL = torch.tensor([0, 1])


def log_probability(row, column):
    """Return log softmax of one row of logits."""
    return row[column] - math.log(sum(math.exp(value) for value in row))


def test_multi_hinge_measures_the_gap_to_the_best_other_column():
    loss = MultiHingeLoss()
    assert loss.real(LOGITS, LABEL).item() == pytest.approx((0 + (1 + 1.0 - 0.25)) / 2)
    assert loss.fake(LOGITS, LABEL).item() == pytest.approx(((1 + 2.0 - 0.5) + (1 + 0.25 - 1.0)) / 2)
    assert loss.generated(LOGITS, LABEL) == loss.real(LOGITS, LABEL)


def test_improved_classification_calls_fakes_the_last_class():
    loss, rows = ImprovedClassificationLoss(), LOGITS.tolist()
    for view, columns in (("real", (0, 1)), ("fake", (2, 2)), ("generated", (0, 1))):
        expected = -sum(log_probability(row, c) for row, c in zip(rows, columns, strict=True)) / 2
        assert getattr(loss, view)(LOGITS, LABEL).item() == pytest.approx(expected), view


def test_discriminative_classifier_has_a_real_and_a_generated_column_for_each_class():
    logits = torch.tensor([[1.0, 2.0, 0.0, -1.0], [0.5, 0.0, 1.5, -0.5]], dtype=torch.float64)
    rows, loss = logits.tolist(), DiscriminativeClassifierLoss()
    real = -(log_probability(rows[0], 0) + log_probability(rows[1], 2)) / 2
    fake = -(log_probability(rows[0], 1) + log_probability(rows[1], 3)) / 2
    assert loss.real(logits, LABEL).item() == pytest.approx(real)
    assert loss.fake(logits, LABEL).item() == pytest.approx(fake)
    # the log-ratio needs no softmax
    assert loss.generated(logits, LABEL).item() == pytest.approx(((2.0 - 1.0) + (-0.5 - 1.5)) / 2)


@pytest.mark.parametrize(
    "loss", [MultiHingeLoss(), ImprovedClassificationLoss()], ids=lambda loss: type(loss).__name__
)
@pytest.mark.parametrize("view", ["real", "fake", "generated"])
def test_gradcheck(loss, view):
    leaf = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda logits: getattr(loss, view)(logits, LABEL), leaf)
