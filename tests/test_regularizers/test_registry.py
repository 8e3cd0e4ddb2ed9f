"""Every registered regulariser: gradcheck, laziness, refusal of what nothing emits."""

import pytest
import torch

from mmcgan.models.gan import ConditionalGAN
from mmcgan.random import RandomStreams
from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers import R1, GradientClipping, LatentOptimization, WeightClipping
from mmcgan.regularizers.base import Regularizer, weighted_terms
from tests.test_models.stand_ins import config
from tests.test_regularizers.toy import SIZE, ToyGenerator, ToyScore, context, draw

# What has no scalar of its own: it edits gradients or weights.
EDITORS = {"OrthogonalRegularizer", "WeightClipping", "GradientClipping"}
# Arguments beyond the defaults; a new regulariser needs an entry unless the defaults will do.
ARGUMENTS = {
    "ImageConsistency": dict(
        fake=5.0, outputs=["adv.logit", "cls.embed"], transform=dict(type="FlipAndShift")
    ),
    "LatentOptimization": dict(on="generator", steps=2, bound=None),
    "MaxGradientPenalty": dict(weight=1.0),
    "PathLengthPenalty": dict(decay=0.5),
}


def ours():
    """Return the names of the package's own regularisers."""
    classes = {name: REGULARIZERS.get(name) for name in REGULARIZERS.names()}
    return sorted(name for name, kind in classes.items() if kind.__module__.startswith("mmcgan.regularizers"))


def scalar(name, weight, matrix):
    """Return the regulariser's scalar as a function of weights of both toy networks."""
    regularizer = REGULARIZERS.build(dict(type=name, **ARGUMENTS.get(name, {})))
    score, generator = ToyScore(weight), ToyGenerator(matrix)
    given = context(score, generator)
    regularizer.move_latent(given.latent, given.fake.condition, score, generator, RandomStreams(5))
    return regularizer(given)


@pytest.mark.parametrize("name", [name for name in ours() if name not in EDITORS])
def test_gradcheck(name):
    weight, matrix = draw(3 * SIZE * SIZE, seed=2).requires_grad_(), draw(2, 3 * SIZE * SIZE).requires_grad_()
    reads_images_only = name in {"LatentDiversity", "ModeSeeking", "PathLengthPenalty"}
    leaves = (matrix,) if reads_images_only else (weight,)

    def value(leaf):
        return (
            scalar(name, weight.detach(), leaf) if reads_images_only else scalar(name, leaf, matrix.detach())
        )

    assert torch.autograd.gradcheck(value, leaves, atol=1e-5, rtol=1e-3, nondet_tol=1e-9)
    (gradient,) = torch.autograd.grad(value(leaves[0]), leaves)
    assert gradient.abs().max() > 1e-6


@pytest.mark.parametrize("name", sorted(EDITORS))
def test_editors_have_no_scalar(name):
    extra = {"max_norm": 1.0} if name == "GradientClipping" else {}
    assert REGULARIZERS.build(dict(type=name, **extra))(context()) is None


@pytest.mark.parametrize("name", ours())
def test_every_regulariser_is_lazily_applicable(name):
    extra = {"max_norm": 1.0} if name == "GradientClipping" else ARGUMENTS.get(name, {})
    regularizer = REGULARIZERS.build({"type": name, **extra, "interval": 3})
    assert [regularizer.is_due(i) for i in range(5)] == [True, False, False, True, False]
    with pytest.raises(ValueError, match="interval must be at least 1, got 0"):
        REGULARIZERS.build({"type": name, **extra, "interval": 0})


def test_a_lazy_term_weighs_as_much_more_as_it_is_rarer():
    given = context()
    often, rarely = R1(weight=2.0), R1(weight=2.0, interval=16)
    terms = weighted_terms({"often": often, "rarely": rarely}, given)
    assert terms["rarely"].item() == pytest.approx(16 * terms["often"].item())


def test_a_regulariser_that_reads_what_nothing_emits_is_refused_at_build():
    with pytest.raises(
        ValueError, match=r"regularizers.r1 reads 'adv.score', which nothing emits.*adv.logit"
    ):
        ConditionalGAN(**config(regularizers=dict(r1=dict(type="R1", logit="adv.score"))))


def test_what_would_be_read_is_known_without_building():
    assert R1.reads_with({}) == ("adv.logit",)
    assert LatentOptimization.reads_with({"logit": "omni.logit"}) == ("omni.logit",)
    assert WeightClipping.reads_with({}) == GradientClipping.reads_with({}) == ()
    assert isinstance(R1(), Regularizer)
