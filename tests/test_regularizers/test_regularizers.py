"""R1 and orthogonal regularisation: closed forms, gradients, settings."""

import pytest
import torch
from torch import nn

from mmcgan.regularizers import R1, OrthogonalRegularizer, StepContext, orthogonal_gradient
from mmcgan.structures import Condition, GANBatch


def context(slope, image):
    """Return a context whose discriminator is D(x) = slope * sum of x^2 / 2."""

    def score(image, condition, augment=True):
        assert not augment
        return {"adv.logit": 0.5 * slope * image.square().flatten(1).sum(1)}

    real = GANBatch(image, Condition())
    scores = {"adv.logit": 0.5 * slope * image.square().flatten(1).sum(1)}
    return StepContext(real, real, torch.zeros(1), scores, scores, score, None, None)


def test_r1_of_a_quadratic_is_its_closed_form_and_reaches_the_parameters():
    slope = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    image = torch.randn(4, 3, 2, 2, dtype=torch.float64)
    expected = 0.5 * (9 * image.square()).flatten(1).sum(1).mean()
    value = R1()(context(slope, image))
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    value.backward()
    assert slope.grad.item() == pytest.approx(2 * expected.item() / 3, rel=1e-6)


def test_r1_on_the_scores_of_the_step_equals_a_second_pass_without_augmentation():
    slope = torch.tensor(2.0, requires_grad=True)
    image = torch.randn(4, 3, 2, 2).requires_grad_()
    built = context(slope, image)
    assert torch.allclose(R1(reuse_scores=True)(built), R1()(built))


@pytest.mark.parametrize("off_diagonal", [True, False])
def test_orthogonal_gradient_is_the_derivative_of_its_penalty(off_diagonal):
    weight = torch.randn(4, 3, 2, dtype=torch.float64, requires_grad=True)
    gram = weight.flatten(1) @ weight.flatten(1).T
    target = torch.diag(gram.diagonal()) if off_diagonal else torch.eye(4, dtype=torch.float64)
    penalty = 0.5 * (gram - target).square().sum()
    (expected,) = torch.autograd.grad(penalty, weight)
    # the diagonal is a constant in BigGAN's form, and off-diagonal entries do not depend on it
    assert torch.allclose(orthogonal_gradient(weight.detach(), off_diagonal), expected)


def test_orthogonal_regulariser_edits_matrices_only_and_leaves_the_excluded_alone():
    network = nn.ModuleDict(
        {"kept": nn.Linear(3, 4), "condition": nn.ModuleDict({"label": nn.Embedding(3, 4)})}
    )
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    OrthogonalRegularizer(weight=0.1).after_backward(network)
    expected = 0.1 * orthogonal_gradient(network["kept"].weight.detach())
    assert torch.allclose(network["kept"].weight.grad, expected)
    assert network["kept"].bias.grad.abs().sum() == 0
    assert network["condition"]["label"].weight.grad.abs().sum() == 0


def test_orthogonal_rows_feel_nothing():
    assert orthogonal_gradient(5 * torch.eye(3)).abs().max() == 0


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match=r"R1: on='generator' is not possible; allowed: \['discriminator'\]"):
        R1(on="generator")
    with pytest.raises(ValueError, match="interval must be at least 1, got 0"):
        R1(interval=0)
