"""Adam and AdamW in one pass over memory: when, with which numbers, and what a checkpoint keeps."""

import copy

import pytest
import torch
from torch import nn

from mmcgan.optim import GANOptimWrapperConstructor


class Players(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.generator = nn.Sequential(nn.Linear(5, 40), nn.Linear(40, 3))
        self.discriminator = nn.Linear(3, 1)


def build(optimizer, precision="float32"):
    model = Players()
    section = dict(optimizer=dict(lr=0.01, **optimizer))
    wrappers = GANOptimWrapperConstructor(
        dict(generator=section, discriminator=section, precision=precision)
    )(model)
    return model, wrappers["generator"]


def train(model, wrapper, steps, start=0):
    for step in range(start, start + steps):
        x = torch.randn(4, 5, generator=torch.Generator().manual_seed(step))
        wrapper.backward(model.generator(x).square().sum())
        wrapper.step()
        wrapper.zero_grad()
    return [p.detach().clone() for p in model.generator.parameters()]


@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_adam_is_fused_unless_the_config_says_otherwise(kind, precision):
    assert build(dict(type=kind), precision)[1].optimizer.param_groups[0]["fused"]
    for setting in (dict(fused=False), dict(foreach=True), dict(foreach=False), dict(differentiable=True)):
        assert not build(dict(type=kind, **setting), precision)[1].optimizer.param_groups[0]["fused"]


@pytest.mark.parametrize("kind", ["AdamS", "SGD", "RMSprop"])
def test_other_optimisers_are_left_alone(kind):
    model, wrapper = build(dict(type=kind))
    assert not wrapper.optimizer.param_groups[0].get("fused")
    train(model, wrapper, 1)


def test_parameters_elsewhere_are_left_alone():
    with torch.device("meta"):
        _, wrapper = build(dict(type="Adam"))
    assert not wrapper.optimizer.param_groups[0]["fused"]


@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_numbers_are_those_of_the_plain_loop(kind, decay):
    settings = dict(type=kind, weight_decay=decay, betas=(0.5, 0.99))
    fused = train(*build(settings), 20)
    plain = train(*build(dict(settings, foreach=False)), 20)
    for found, expected in zip(fused, plain, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("written", [dict(), dict(foreach=False)], ids=["fused", "older"])
def test_a_resumed_run_goes_on_with_the_implementation_of_its_checkpoint(written):
    """Bit for bit, also from checkpoints of before fused was the default."""
    model, wrapper = build(dict(type="Adam", **written))
    train(model, wrapper, 3)
    saved = copy.deepcopy((model.state_dict(), wrapper.state_dict()))
    expected = train(model, wrapper, 4, start=3)
    resumed, other = build(dict(type="Adam"))
    resumed.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    found = train(resumed, other, 4, start=3)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
