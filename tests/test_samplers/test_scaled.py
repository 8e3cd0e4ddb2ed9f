"""Latents of another width: their law, truncation, energy and codes; and the laws of other people."""

import math

import pytest
import torch
from scipy import stats

from mmcgan.random import make_generator
from mmcgan.registry import SAMPLERS, restore, snapshot
from mmcgan.samplers import CodedLatent, LatentSampler, NormalLatent, ScaledLatent
from mmcgan.samplers.scaled import scaled, unscaled

DRAWS = 20_000
UNIFORM = {"type": "UniformLatent"}


def draw(sampler, n=DRAWS):
    return sampler.sample(n, make_generator(0, "test"))


@pytest.mark.parametrize(
    ("sampler", "law"),
    [
        (ScaledLatent(2, scale=1.5), stats.norm(scale=1.5)),
        (ScaledLatent(2, scale=0.5), stats.norm(scale=0.5)),
        (ScaledLatent(2, UNIFORM, 2.0), stats.uniform(-2, 4)),
        (ScaledLatent(2, {"type": "TruncatedNormalLatent"}, 1.5), stats.truncnorm(-2, 2, scale=1.5)),
    ],
    ids=["wider", "narrower", "uniform", "truncated"],
)
def test_the_other_law_times_the_scale(sampler, law):
    latent = draw(sampler)
    assert latent.dtype == torch.float32 and latent.shape == (DRAWS, 2)
    assert stats.kstest(latent.flatten().numpy(), law.cdf).pvalue > 1e-3


def test_a_scale_of_one_is_the_law_itself():
    assert torch.equal(draw(ScaledLatent(3)), draw(NormalLatent(3)))


@pytest.mark.parametrize("threshold", [0.4, 1.0, 3.0])
def test_a_threshold_is_one_of_the_scaled_latents(threshold):
    law = ScaledLatent(2, scale=1.5)
    latent = draw(law)
    narrow = law.truncate(latent, threshold, make_generator(1, "test"))
    inside = latent.abs() <= threshold
    assert torch.equal(narrow[inside], latent[inside]) and narrow.abs().max() <= threshold * (1 + 1e-6)
    bound = threshold / 1.5
    wanted = stats.truncnorm(-bound, bound, scale=1.5)
    assert stats.kstest(narrow.flatten().numpy(), wanted.cdf).pvalue > 1e-3


def test_energy_is_that_of_its_density_and_differentiable():
    latent = torch.linspace(-4, 4, 101).unsqueeze(1).requires_grad_()
    energy = ScaledLatent(1, scale=1.5).energy(latent)
    density = torch.from_numpy(-stats.norm(scale=1.5).logpdf(latent.detach().numpy())).flatten()
    constant = math.log(1.5 * math.sqrt(2 * math.pi))
    assert torch.allclose(energy.double(), density.double() - constant, atol=1e-5)
    (gradient,) = torch.autograd.grad(energy.sum(), latent)
    assert torch.allclose(gradient, latent.detach() / 1.5**2)


def test_codes_keep_their_width():
    noise = {"type": "CodedLatent", "codes": 1, "values": 3, "continuous": 1}
    law, plain = ScaledLatent(8, noise, 2.0), CodedLatent(8, codes=1, values=3, continuous=1)
    latent, before = draw(law, 50), draw(plain, 50)
    assert torch.equal(latent[:, :4], 2 * before[:, :4]) and torch.equal(latent[:, 4:], before[:, 4:])
    assert (law.code_dim, law.emits) == (plain.code_dim, plain.emits)
    assert ScaledLatent.emits_with({"noise": noise}) == ("discrete", "continuous")
    for name, codes in plain.codes(before).items():
        assert torch.equal(law.codes(latent)[name], codes)
    chosen = law.with_codes(latent, {"discrete": [2]})
    assert chosen[:, 4:7].argmax(1).tolist() == [2] * 50 and torch.equal(chosen[:, :4], latent[:, :4])
    assert torch.equal(law.truncate(latent, 0.5, make_generator(0, "x"))[:, 4:], latent[:, 4:])


def test_a_law_from_outside_is_scaled_as_ours():
    before = snapshot()
    try:

        @SAMPLERS.register_module()
        class Ones(LatentSampler):
            def sample(self, n, generator):
                return torch.ones(n, self.latent_dim)

        law = ScaledLatent(4, {"type": "Ones"}, 3.0)
        assert torch.equal(draw(law, 2), torch.full((2, 4), 3.0))
        with pytest.raises(ValueError, match="Ones does not say what truncation means"):
            law.truncate(torch.ones(1, 4), 0.5)
    finally:
        restore(before)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_what_no_latent_can_be_multiplied_with_is_named(scale):
    with pytest.raises(ValueError, match=f"above 0, got {scale}"):
        ScaledLatent(4, scale=scale)
    with pytest.raises(ValueError, match=f"above 0, got {scale}"):
        scaled(None, scale)


def test_a_scale_replaces_a_scale():
    normal = {"type": "NormalLatent"}
    wide = scaled(None, 1.5)
    assert wide == {"type": "ScaledLatent", "noise": normal, "scale": 1.5}
    assert scaled(wide, 2.0) == {**wide, "scale": 2.0}
    assert scaled(wide, 1) == unscaled(wide) == normal
    assert scaled(wide, None) == wide and scaled(UNIFORM, None) == UNIFORM
    assert unscaled({**wide, "noise": wide}) == normal
