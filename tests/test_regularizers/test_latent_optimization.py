"""LOGAN: closed form of a step, several steps, who learns from them, settings."""

import pytest
import torch

from mmcgan.models.gan import ConditionalGAN
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.random import RandomStreams
from mmcgan.regularizers import LatentOptimization, natural_gradient_step
from mmcgan.structures import Condition
from tests.test_models.stand_ins import batch, config
from tests.test_regularizers.toy import draw

CONDITION = Condition(label=torch.zeros(64, dtype=torch.int64))


def linear_score(image, condition, augment=True):
    """Return D(z) = 3 z_0 + 4 z_1; the "images" are the latents themselves."""
    assert not augment
    return {"adv.logit": image @ torch.tensor([3.0, 4.0], dtype=image.dtype)}


def move(regularizer, latent):
    """Return the latents that ``regularizer`` moves under the linear score."""
    return regularizer.move_latent(latent, CONDITION, linear_score, lambda z, c: z, RandomStreams(1))


def test_a_natural_gradient_step_is_its_closed_form():
    step = natural_gradient_step(draw(5, 2), lambda z: linear_score(z, None, False)["adv.logit"], 0.9, 0.1)
    expected = 0.9 * torch.tensor([3.0, 4.0], dtype=torch.float64) / (0.1 + 25)
    assert torch.allclose(step, expected.expand(5, 2))


def test_steps_add_up_and_their_cost_is_summed():
    latent = torch.zeros(64, 2, dtype=torch.float64)
    once, thrice = (LatentOptimization("generator", share=1.0, steps=n) for n in (1, 3))
    assert torch.allclose(3 * move(once, latent), move(thrice, latent))
    cost = thrice(None)
    assert cost.item() == pytest.approx(3 * (0.9 * 5 / 25.1) ** 2)
    assert thrice(None) is None


def test_a_share_of_the_latents_moves_and_all_stay_within_the_bound():
    latent = torch.full((64, 2), 0.99, dtype=torch.float64)
    latent[0] = 7.0
    moved = move(LatentOptimization("generator", share=0.5), latent)
    assert moved.max() == 1.0
    unbound = move(LatentOptimization("generator", share=0.5, bound=None), latent)
    rests = (unbound == latent).all(1)
    assert 10 < int(rests.sum()) < 54 and unbound.max() > 7 - 1e-9
    assert (unbound[~rests] > latent[~rests]).all()


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_moved_latents_raise_the_logit_and_teach_only_the_player_that_steps(player):
    settings = dict(type="LatentOptimization", on=player, share=1.0, bound=None, alpha=0.1)
    torch.manual_seed(0)
    model = ConditionalGAN(**config(regularizers=dict(logan=settings)))
    plain = ConditionalGAN(**config())
    plain.load_state_dict(model.state_dict(), strict=False)
    adam = dict(optimizer=dict(type="SGD", lr=0.0))
    logs = []
    for each in (model, plain):
        optimizers = GANOptimWrapperConstructor(dict(generator=adam, discriminator=adam))(each)
        logs.append(each.train_step(batch(8), optimizers))
    letter, term = {"discriminator": ("d", "fake"), "generator": ("g", "generated")}[player]
    name = f"{letter}_adversarial_{term}"
    better = logs[0][name] - logs[1][name]
    assert (better > 0) if player == "discriminator" else (better < 0)
    assert logs[0][f"{letter}_logan"] > 0
    other = "g_adversarial_generated" if player == "discriminator" else "d_adversarial_fake"
    assert logs[0][other] == pytest.approx(logs[1][other].item())


def test_gradients_pass_through_the_step():
    slope = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    regularizer = LatentOptimization("discriminator", share=1.0, bound=None, steps=2)

    def score(image, condition, augment=True):
        return {"adv.logit": slope * image.square().sum(1)}

    moved = regularizer.move_latent(draw(4, 2), CONDITION, score, lambda z, c: z, RandomStreams(1))
    (gradient,) = torch.autograd.grad(moved.sum(), slope)
    assert gradient.abs() > 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(alpha=0.0), "alpha must be greater than 0, got 0.0"),
        (dict(beta=-1.0), "beta must be greater than 0"),
        (dict(bound=0.0), "bound must be greater than 0"),
        (dict(steps=0), "steps must be at least 1, got 0"),
        (dict(share=1.5), r"share must lie in \(0, 1\], got 1.5"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        LatentOptimization("generator", **settings)
