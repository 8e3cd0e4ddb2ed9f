import math

import pytest
import torch
from scipy import stats

from mmcgan.random import make_generator
from mmcgan.registry import SAMPLERS
from mmcgan.samplers import NormalLatent, TruncatedNormalLatent, UniformLatent, truncate, truncated_normal

DRAWS = 40_000


def draw(sampler, name="test", n=DRAWS):
    return sampler.sample(n, make_generator(0, name))


@pytest.mark.parametrize(
    ("sampler", "law"),
    [
        (NormalLatent(2), stats.norm()),
        (UniformLatent(2), stats.uniform(-1, 2)),
        (TruncatedNormalLatent(2), stats.truncnorm(-2, 2)),
        (TruncatedNormalLatent(2, threshold=0.5), stats.truncnorm(-0.5, 0.5)),
    ],
    ids=["normal", "uniform", "truncated 2", "truncated 0.5"],
)
def test_latents_follow_their_law(sampler, law):
    latent = draw(sampler)
    assert latent.shape == (DRAWS, 2)
    assert latent.dtype == torch.float32
    assert stats.kstest(latent.flatten().numpy(), law.cdf).pvalue > 1e-3
    # dimensions are independent
    assert abs(float(torch.corrcoef(latent.T)[0, 1])) < 4 / math.sqrt(DRAWS)


@pytest.mark.parametrize("name", ["NormalLatent", "UniformLatent", "TruncatedNormalLatent"])
def test_a_draw_depends_on_the_generator_only(name):
    sampler = SAMPLERS.build(dict(type=name, latent_dim=3))
    torch.manual_seed(1)
    first = draw(sampler, n=5)
    torch.manual_seed(2)
    assert torch.equal(first, draw(sampler, n=5))
    assert not torch.equal(first, draw(sampler, "another stream", n=5))


def test_truncation_redraws_only_what_is_outside():
    latent = torch.tensor([[0.1, -0.69, 3.0, -2.0]]).repeat(DRAWS // 2, 1)
    out = truncate(latent, 0.7, make_generator(0, "redraw"))
    assert torch.equal(out[:, :2], latent[:, :2])
    redrawn = out[:, 2:]
    assert redrawn.abs().max() <= 0.7
    assert stats.kstest(redrawn.flatten().numpy(), stats.truncnorm(-0.7, 0.7).cdf).pvalue > 1e-3


def test_truncation_of_a_normal_latent_gives_the_truncated_law():
    out = truncate(draw(NormalLatent(1)), 1.0, make_generator(0, "redraw"))
    assert stats.kstest(out.flatten().numpy(), stats.truncnorm(-1, 1).cdf).pvalue > 1e-3


def test_truncation_without_a_generator_clamps():
    out = truncate(torch.tensor([[-3.0, 0.2, 0.9]]), 0.5)
    assert out.tolist() == [[-0.5, pytest.approx(0.2), 0.5]]


def test_infinite_truncation_changes_nothing():
    latent = torch.tensor([[40.0, -1.0]])
    assert torch.equal(truncate(latent, math.inf, make_generator(0)), latent)


def test_a_threshold_beyond_float_precision_stays_finite():
    assert truncated_normal((1000,), 50.0, make_generator(0, "far")).isfinite().all()


@pytest.mark.parametrize("threshold", [0.0, -1.0, math.nan])
def test_bad_threshold_is_named(threshold):
    with pytest.raises(ValueError, match=f"truncation must be greater than 0, got {threshold}"):
        TruncatedNormalLatent(4, threshold)
    with pytest.raises(ValueError, match="truncation must be greater than 0"):
        truncate(torch.zeros(1, 1), threshold)


def test_bad_latent_dim_is_named():
    with pytest.raises(ValueError, match="latent_dim must not be negative, got -1"):
        NormalLatent(-1)
