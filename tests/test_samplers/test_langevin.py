"""Langevin sampling: stationary law, decay, settings."""

import pytest
import torch

from mmcgan.random import make_generator
from mmcgan.samplers.langevin import LangevinOptions, langevin_latents


def test_chains_find_the_product_of_prior_and_discriminator():
    """N(0, 1) * exp(2 z) is N(2, 1)."""
    options = LangevinOptions(steps=400, rate=0.05)
    latent = langevin_latents(
        torch.zeros(2000, 1), lambda z: 2 * z[:, 0], options, make_generator(0, "noise")
    )
    assert latent.mean().item() == pytest.approx(2, abs=0.1)
    assert latent.std().item() == pytest.approx(1, abs=0.1)
    assert not latent.requires_grad


def test_decay_shrinks_rate_and_noise_after_every_interval():
    start, ones = torch.full((1, 1), 4.0), torch.ones(1, 1)
    options = LangevinOptions(steps=2, rate=0.25, decay=0.25, decay_interval=1)
    latent = langevin_latents(start, lambda z: 0 * z[:, 0], options, lambda step: ones)
    first = 4.0 - 0.125 * 4.0 + 0.5
    assert latent.item() == pytest.approx(first - 0.03125 * first + 0.25 * 0.25)


@pytest.mark.parametrize("settings", [dict(steps=0), dict(rate=0.0), dict(variance=-1.0), dict(decay=0.0)])
def test_bad_settings_are_named(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name}"):
        LangevinOptions(**settings)
