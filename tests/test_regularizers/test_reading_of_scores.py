"""What looks at one logit reads it off a score of several columns too, not off the sum of all of them."""

import pytest
import torch

from mmcgan.models.latent_moves import move_latents
from mmcgan.registry import REGULARIZERS, SAMPLERS
from mmcgan.regularizers.base import LogitRegularizer
from mmcgan.samplers.moves import LatentMove
from tests.test_regularizers.toy import SIZE, ToyGenerator, ToyScore, context, draw

READING = {"logit": "omni.score", "reading": "real_minus_fake"}


def columns(score):
    """Return a discriminator whose omni score says the same as its logit, beside classes that say more."""

    def scores(image, condition, augment=True):
        logit = score(image, condition, augment)["adv.logit"]
        classes = (image.double().flatten(1) * 7).cumsum(1)[:, :3]
        fake = classes[:, 1] * logit.tanh()
        return {
            "adv.logit": logit,
            "omni.score": torch.cat([classes, (logit + fake)[:, None], fake[:, None]], 1),
        }

    return scores


def named(registry, base):
    return sorted(name for name, kind in registry.module_dict.items() if issubclass(kind, base))


@pytest.mark.parametrize("name", named(REGULARIZERS, LogitRegularizer))
def test_a_regulariser_of_a_score_is_that_of_its_logit(name):
    score = columns(ToyScore())
    alone, read, summed = (
        REGULARIZERS.build({"type": name, **settings})(context(score))
        for settings in ({}, READING, {"logit": "omni.score"})
    )
    assert read.item() == pytest.approx(alone.item())
    assert summed.item() != pytest.approx(alone.item(), rel=0.01)


def test_latents_climb_the_same_way_in_training():
    ways = []
    for settings in ({}, READING):
        optimization = REGULARIZERS.build({"type": "LatentOptimization", "on": "generator", **settings})
        step = context(columns(ToyScore()))
        ways.append(
            optimization.move_latent(step.latent, step.fake.condition, step.score, step.generate, step.random)
        )
    assert torch.allclose(*ways)


@pytest.mark.parametrize("name", named(SAMPLERS, LatentMove))
def test_latents_climb_the_same_way_when_sampled(name):
    score, generator = columns(ToyScore()), ToyGenerator(draw(2, 3 * SIZE * SIZE, seed=1).float())
    condition, latent = context().fake.condition, draw(4, 2, seed=9).float()
    discriminator = torch.nn.Module()
    discriminator.forward = score
    ways = [
        move_latents(SAMPLERS.build({"type": name, **settings}), generator, discriminator, latent, condition)
        for settings in ({}, READING)
    ]
    assert torch.allclose(*ways, atol=1e-5) and not torch.equal(ways[0], latent)


@pytest.mark.parametrize(
    ("registry", "settings"),
    [
        (REGULARIZERS, {"type": "R1"}),
        (REGULARIZERS, {"type": "LatentOptimization", "on": "generator"}),
        (SAMPLERS, {"type": "LangevinLatents"}),
        (SAMPLERS, {"type": "OptimizedLatents"}),
    ],
)
def test_a_reading_that_does_not_exist_is_named(registry, settings):
    with pytest.raises(ValueError, match=r"unknown reading 'real_minus_fakes'.*real_minus_fake"):
        registry.build({**settings, "reading": "real_minus_fakes"})
