"""Penalties of gradients: closed forms on a quadratic critic, where they are taken, settings."""

import pytest
import torch

from mmcgan.random import RandomStreams
from mmcgan.regularizers import (
    R2,
    DivergencePenalty,
    GradientPenalty,
    MaxGradientPenalty,
    PerturbationPenalty,
    StepContext,
)
from mmcgan.structures import Condition, GANBatch

SLOPE = torch.tensor(2.0, dtype=torch.float64)
PENALTIES = [GradientPenalty, DivergencePenalty, MaxGradientPenalty, PerturbationPenalty, R2]


def images(seed):
    """Return images (4, 3, 2, 2)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, 3, 2, 2, dtype=torch.float64, generator=generator)


class Quadratic:
    """D(x) = slope * |x|^2 / 2, whose gradient is slope * x; remembers what it was asked."""

    def __init__(self, slope=SLOPE):
        self.slope = slope

    def __call__(self, image, condition, augment=True):
        assert not augment
        self.image, self.label = image, condition.label
        return {"adv.logit": 0.5 * self.slope * image.square().flatten(1).sum(1)}


def context(score, real=None, fake=None):
    """Return a step's context; real labels are 0, generated ones 1."""
    real, fake = images(0) if real is None else real, images(1) if fake is None else fake
    batches = [GANBatch(x, Condition(label=torch.full((4,), i))) for i, x in enumerate((real, fake))]
    return StepContext(*batches, torch.zeros(1), None, {}, score, None, RandomStreams(3))


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        (GradientPenalty(), lambda norm: (norm - 1).square().mean()),
        (DivergencePenalty(power=3.0), lambda norm: norm.pow(3).mean()),
        (MaxGradientPenalty(), lambda norm: norm.square().max()),
        (PerturbationPenalty(), lambda norm: (norm - 1).square().mean()),
        (R2(), lambda norm: 0.5 * norm.square().mean()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_closed_forms(penalty, expected):
    score = Quadratic()
    value = penalty(context(score))
    norm = (SLOPE * score.image.detach()).flatten(1).norm(dim=1)
    assert value.item() == pytest.approx(expected(norm).item())


@pytest.mark.parametrize("penalty", [GradientPenalty, DivergencePenalty, MaxGradientPenalty])
def test_points_lie_between_real_and_generated_with_one_share_a_sample(penalty):
    score = Quadratic()
    penalty()(context(score))
    real, fake = images(0), images(1)
    shares = ((score.image - fake) / (real - fake)).flatten(1)
    assert torch.allclose(shares, shares[:, :1].expand_as(shares))
    assert ((shares >= 0) & (shares < 1)).all()
    assert len(set(shares[:, 0].tolist())) == 4
    assert score.label.tolist() == [0] * 4


def test_perturbed_points_lie_above_the_real_images_within_half_a_deviation():
    score = Quadratic()
    PerturbationPenalty()(context(score))
    moved = score.image - images(0)
    assert (moved >= 0).all() and (moved <= 0.5 * images(0).std()).all()
    assert moved.max() > 0


def test_r2_looks_at_generated_images_under_their_own_condition():
    score = Quadratic()
    R2()(context(score))
    assert torch.equal(score.image, images(1)) and score.label.tolist() == [1] * 4


@pytest.mark.parametrize("kind", PENALTIES, ids=lambda kind: kind.__name__)
def test_gradcheck_for_the_parameters(kind):
    def value(slope):
        return kind()(context(Quadratic(slope)))

    assert torch.autograd.gradcheck(value, SLOPE.clone().requires_grad_())


def test_a_flat_discriminator_gives_finite_gradients():
    slope = torch.zeros((), dtype=torch.float64, requires_grad=True)
    GradientPenalty()(context(Quadratic(slope))).backward()
    assert torch.isfinite(slope.grad)


def test_draws_repeat_in_an_iteration_and_differ_between_iterations():
    score, same, other = Quadratic(), Quadratic(), Quadratic()
    GradientPenalty()(context(score))
    GradientPenalty()(context(same))
    later = context(other)
    later.random.start(1)
    GradientPenalty()(later)
    assert torch.equal(score.image, same.image)
    assert not torch.equal(score.image, other.image)


def test_unequal_batches_are_refused():
    with pytest.raises(ValueError, match=r"GradientPenalty mixes real \(4, 3, 2, 2\) with generated \(2,"):
        GradientPenalty()(context(Quadratic(), fake=images(1)[:2]))


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="DivergencePenalty: power must be positive, got 0"):
        DivergencePenalty(power=0)
    with pytest.raises(ValueError, match="GradientPenalty: on='generator' is not possible"):
        GradientPenalty(on="generator")
