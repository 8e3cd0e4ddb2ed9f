"""Latents with codes: what is drawn, what is read back, settings."""

import pytest
import torch

from mmcgan.commands.sample import parse_codes
from mmcgan.random import make_generator
from mmcgan.samplers import CodedLatent, NormalLatent, code_names, latent_codes


def draw(sampler, n=500):
    return sampler.sample(n, make_generator(0, "latent"))


def test_codes_are_the_last_columns_and_are_read_back():
    sampler = CodedLatent(20, codes=2, values=4, continuous=3)
    latent = draw(sampler)
    assert latent.shape == (500, 20) and latent.dtype == torch.float32
    one_hot, continuous = latent[:, 9:17].view(500, 2, 4), latent[:, 17:]
    assert (one_hot.sum(2) == 1).all() and (one_hot.max(2).values == 1).all()
    assert continuous.min() >= -1 and continuous.max() < 1 and continuous.std() > 0.5
    codes = latent_codes(sampler, latent)
    assert torch.equal(codes["latent.discrete"], one_hot.argmax(2))
    assert torch.equal(codes["latent.continuous"], continuous)
    assert (codes["latent.discrete"].flatten().bincount() > 150).all()
    assert code_names(sampler) == ["latent.discrete", "latent.continuous"]


@pytest.mark.parametrize(
    ("settings", "name", "noise"),
    [(dict(codes=1, values=3), "latent.discrete", 7), (dict(codes=0, continuous=2), "latent.continuous", 8)],
)
def test_one_kind_of_code_alone(settings, name, noise):
    sampler = CodedLatent(10, **settings)
    assert code_names(sampler) == list(latent_codes(sampler, draw(sampler))) == [name]
    assert draw(sampler)[:, :noise].abs().max() > 2


def test_the_noise_may_have_another_law():
    sampler = CodedLatent(10, codes=1, values=3, noise=dict(type="UniformLatent"))
    assert draw(sampler)[:, :7].abs().max() <= 1


def test_other_samplers_and_real_images_carry_no_codes():
    assert latent_codes(NormalLatent(4), torch.zeros(2, 4)) == {} and code_names(NormalLatent(4)) == []
    assert latent_codes(CodedLatent(14), None) == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(codes=0, continuous=0), "needs codes or continuous above 0"),
        (dict(codes=-1, continuous=2), "got codes=-1, continuous=2"),
        (dict(codes=1, values=1), "values must be at least 2, got 1"),
        (dict(codes=1, values=10), "codes take 10 columns, so latent_dim must be at least 11, got 10"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        CodedLatent(10, **settings)


# --- choosing codes -------------------------------------------------------------------------------
def test_chosen_codes_are_set_and_nothing_else_moves():
    sampler = CodedLatent(20, codes=2, values=4, continuous=3)
    latent = draw(sampler, 6)
    chosen = sampler.with_codes(latent, {"discrete": [3, None], "continuous": [None, -1, 0.25]})
    codes, before = sampler.codes(chosen), sampler.codes(latent)
    assert codes["discrete"][:, 0].eq(3).all() and torch.equal(
        codes["discrete"][:, 1], before["discrete"][:, 1]
    )
    assert codes["continuous"][:, 1].eq(-1).all() and codes["continuous"][:, 2].eq(0.25).all()
    assert torch.equal(codes["continuous"][:, 0], before["continuous"][:, 0])
    assert torch.equal(chosen[:, :9], latent[:, :9])
    assert chosen[:, 9:17].view(6, 2, 4).sum(2).eq(1).all()


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"discrete": [4]}, r"a whole number in 0\.\.3, got 4"),
        ({"discrete": [1.5]}, r"a whole number in 0\.\.3, got 1.5"),
        ({"discrete": [1, 1]}, "discrete takes 1 values, got 2"),
        ({"continuous": [1.5]}, "a number in -1..1, got 1.5"),
        ({"continuous": [float("nan")]}, "a number in -1..1, got nan"),
        ({"colour": [1]}, "no code 'colour'"),
    ],
)
def test_codes_that_cannot_be_are_named(chosen, message):
    sampler = CodedLatent(20, codes=1, values=4, continuous=1)
    with pytest.raises(ValueError, match=message):
        sampler.with_codes(draw(sampler, 0), chosen)


def test_a_law_without_codes_refuses_and_a_strangers_law_may_have_some():
    with pytest.raises(ValueError, match="latents of NormalLatent have none"):
        NormalLatent(4).with_codes(torch.zeros(1, 4), {"discrete": [1]})

    class Sign:
        def with_codes(self, latent, chosen):
            return latent.abs() * chosen["sign"][0]

    assert Sign().with_codes(torch.tensor([[-2.0, 3.0]]), {"sign": [-1]}).tolist() == [[-2.0, -3.0]]


def test_codes_are_written_as_text():
    assert parse_codes(["discrete=3", "continuous=0.5,*"]) == {"discrete": [3.0], "continuous": [0.5, None]}
    for text in ("discrete", "discrete=", "discrete=a"):
        with pytest.raises(ValueError, match="write each NAME=V,V once"):
            parse_codes([text])
    with pytest.raises(ValueError, match="once"):
        parse_codes(["discrete=1", "discrete=2"])
