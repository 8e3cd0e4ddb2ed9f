"""Latents that the discriminator moves when images are sampled."""

import pytest
import torch

from mmcgan.models.gan import ConditionalGAN
from mmcgan.random import make_generator
from mmcgan.samplers import LangevinLatents, OptimizedLatents
from mmcgan.structures import Condition


def model(move=None, **latent_sampler):
    torch.manual_seed(0)
    return ConditionalGAN(
        generator=dict(type="DCGANGenerator", image_size=8, num_classes=3, base_channels=4, latent_dim=6),
        discriminator=dict(
            backbone=dict(type="DCGANBackbone", image_size=8, base_channels=4),
            heads=dict(adv=dict(type="ProjectionHead", num_classes=3)),
        ),
        losses=dict(adversarial=dict(type="HingeLoss")),
        condition_sampler=dict(type="UniformLabel", num_classes=3),
        latent_sampler=latent_sampler or None,
        latent_move=move,
    )


def parabola(point):
    return -(point - 3).square().sum(1)


def test_natural_gradient_steps_climb_the_logit():
    latent = torch.zeros(4, 2)
    one = OptimizedLatents(steps=1, alpha=0.5, bound=None)(latent, parabola)
    three = OptimizedLatents(steps=3, alpha=0.5, bound=None)(latent, parabola)
    # g = -2 (z - 3) = 6 in both values: alpha * g / (beta + |g|^2)
    torch.testing.assert_close(one, torch.full((4, 2), 0.5 * 6 / (0.1 + 72)))
    assert (parabola(three) > parabola(one)).all() and (parabola(one) > parabola(latent)).all()
    assert OptimizedLatents(steps=200, alpha=5.0)(latent, parabola).max() == 1.0
    moved = OptimizedLatents(share=0.5, bound=None)(
        torch.randn(400, 2, generator=make_generator(1)), parabola
    )
    rested = (moved == torch.randn(400, 2, generator=make_generator(1))).all(1).float().mean()
    assert 0.4 < rested < 0.6


def test_langevin_samples_follow_the_reweighted_density():
    # N(z; 0, 1) * exp(-z^2 / 2 + 2 z) is the normal law of mean 1 and variance 1/2
    start = torch.randn(3000, 1, generator=make_generator(0))
    chain = LangevinLatents(steps=120, rate=0.05)
    moved = chain(start, lambda z: (2 * z - 0.5 * z.square()).sum(1))
    assert abs(moved.mean() - 1) < 0.06 and abs(moved.var() - 0.5) < 0.06


@pytest.mark.parametrize(
    "move",
    [dict(type="OptimizedLatents", steps=2, share=0.5), dict(type="LangevinLatents", steps=3, rate=0.1)],
)
def test_samples_move_alone_and_training_does_not(move):
    moving, still = model(move), model()
    still.load_state_dict(moving.state_dict())
    latent, condition = torch.randn(5, 6), Condition(label=torch.arange(5) % 3)
    images = moving.sample(condition, latent)
    assert (images - still.sample(condition, latent)).abs().max() > 1e-4
    # an image depends on its own latent, not on its neighbours in the batch
    torch.testing.assert_close(moving.sample(condition[3:], latent[3:]), images[3:], rtol=1e-4, atol=1e-5)
    assert moving.discriminator.training and not images.requires_grad
    assert torch.equal(moving.make_fakes("generator", 4).latent, still.make_fakes("generator", 4).latent)


def test_steps_raise_what_the_discriminator_says():
    moving = model(dict(type="OptimizedLatents", steps=20, bound=None)).eval()
    condition, latent = Condition(label=torch.arange(16) % 3), torch.randn(16, 6)
    after = moving.sample(condition, latent)
    moving.latent_move = None
    before = moving.sample(condition, latent)
    scores = [moving.score(image, condition)["adv.logit"].mean() for image in (before, after)]
    assert scores[1] > scores[0]


def test_codes_stay_as_they_were_drawn():
    moving = model(dict(type="OptimizedLatents", steps=1), type="CodedLatent", codes=1, values=2)
    seen = []
    moving.generator_ema.register_forward_pre_hook(lambda network, inputs: seen.append(inputs[0].detach()))
    latent = moving.latent_sampler.sample(4, make_generator(3))
    moving.sample(Condition(label=torch.zeros(4, dtype=torch.int64)), latent)
    assert torch.equal(seen[-1][:, 4:], latent[:, 4:]) and not torch.equal(seen[-1][:, :4], latent[:, :4])


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="OptimizedLatents: steps must be at least 1, got 0"):
        OptimizedLatents(steps=0)
    with pytest.raises(ValueError, match=r"OptimizedLatents: share must lie in \(0, 1\], got 2"):
        OptimizedLatents(share=2)
    with pytest.raises(ValueError, match="OptimizedLatents: beta must be greater than 0, got 0"):
        OptimizedLatents(beta=0)
    with pytest.raises(ValueError, match="latent_move reads 'adv\\.score'"):
        model(dict(type="LangevinLatents", logit="adv.score"))
    with pytest.raises(ValueError, match="NormalLatent is no latent move: it lacks `__call__`"):
        model(dict(type="NormalLatent", latent_dim=6))
