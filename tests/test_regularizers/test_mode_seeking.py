"""Mode seeking: the closed form, what it asks of the generator, and that it ends one image a class."""

from dataclasses import replace

import pytest
import torch

from mmcgan.random import RandomStreams
from mmcgan.regularizers import ModeSeeking
from tests.test_regularizers.toy import SIZE, ToyGenerator, context, draw


def second_latents(seed, count):
    """Return the latents that a context of ``seed`` draws."""
    return torch.randn(count, 2, generator=RandomStreams(seed)["second latent"]).double()


@pytest.mark.parametrize(("share", "count"), [(1.0, 4), (0.5, 2), (0.01, 1)])
def test_it_is_how_far_latents_are_apart_for_a_distance_of_images(share, count):
    generator = ToyGenerator()
    given = context(generator=generator)
    value = ModeSeeking(share=share)(given)
    other = second_latents(5, count)
    condition = given.fake.condition[:count]
    images = (generator(other, condition) - given.fake.image[:count]).abs().mean()
    latents = (other - given.latent[:count]).abs().mean()
    assert value.item() == pytest.approx((1 / (images / latents + 1e-5)).item(), rel=1e-12)


def test_a_generator_that_ignores_its_latent_pays_all_that_there_is():
    given = context(generator=ToyGenerator(torch.zeros(2, 3 * SIZE * SIZE, dtype=torch.float64)))
    assert ModeSeeking()(given).item() == pytest.approx(1e5)


def test_a_generator_that_hardly_listens_is_taught_to():
    weight = (1e-3 * draw(2, 3 * SIZE * SIZE, seed=1)).requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=0.01)
    regularizer, values = ModeSeeking(), []
    for seed in range(40):
        value = regularizer(context(generator=ToyGenerator(weight), seed=seed))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.1 * values[0]


def test_a_generator_without_latents_is_named():
    given = replace(context(), latent=torch.empty(4, 0))
    with pytest.raises(ValueError, match="ModeSeeking: the generator takes no latents"):
        ModeSeeking()(given)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0.0}, "ModeSeeking: share must be above 0 and at most 1, got 0.0"),
        ({"share": 1.5}, "share must be above 0 and at most 1, got 1.5"),
        ({"epsilon": 0.0}, "epsilon must be greater than 0, got 0.0"),
        ({"on": "discriminator"}, "on='discriminator' is not possible"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ModeSeeking(**settings)
