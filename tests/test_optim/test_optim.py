"""The two players' optimisers: rules, precision, coupled weight decay, state."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mmcgan.optim import GANOptimWrapper, GANOptimWrapperConstructor


class Players(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.generator = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3))
        self.discriminator = nn.ModuleDict({"trunk": nn.Linear(3, 4), "info": nn.Linear(4, 2)})


def adam(**settings):
    return dict(optimizer=dict(type="Adam", **{"lr": 2e-4, "betas": (0, 0.999), **settings}))


def build(generator=None, discriminator=None, **top):
    sections = dict(generator=generator or adam(), discriminator=discriminator or adam(), **top)
    model = Players()
    return model, GANOptimWrapperConstructor(sections)(model)


def test_each_player_has_its_own_settings():
    model, wrappers = build(adam(lr=1e-4), adam(lr=4e-4, weight_decay=1e-3))
    assert wrappers["generator"].parameters() == list(model.generator.parameters())
    assert wrappers["discriminator"].parameters() == list(model.discriminator.parameters())
    group = wrappers["discriminator"].optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["betas"]) == (4e-4, 1e-3, (0.0, 0.999))


def test_rules_scale_and_freeze_by_name_and_later_rules_override():
    rules = {
        "generator.*": dict(lr_mult=0.5, decay_mult=0.1),
        "*.bias": dict(decay_mult=0.0),
        "generator.1.*": dict(freeze=True),
    }
    model, wrappers = build({**adam(weight_decay=1e-2), "rules": rules})
    groups = wrappers["generator"].optimizer.param_groups
    settings = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert settings[id(model.generator[0].weight)] == (1e-4, 1e-3)
    assert settings[id(model.generator[0].bias)] == (1e-4, 0.0)
    assert id(model.generator[1].weight) not in settings
    assert not model.generator[1].weight.requires_grad


def test_a_player_adopts_parameters_of_the_other():
    model, wrappers = build({**adam(), "adopts": ["discriminator.info.*"]})
    owned = {id(p) for p in wrappers["generator"].parameters()}
    assert {id(p) for p in model.discriminator["info"].parameters()} <= owned
    assert wrappers["discriminator"].parameters() == list(model.discriminator["trunk"].parameters())


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            dict(generator={**adam(), "rules": {"generator.9.*": dict(lr_mult=2)}}),
            r"'generator\.9\.\*' matches no",
        ),
        (dict(generator={**adam(), "adopts": ["q.*"]}), r"'q\.\*' matches no parameter"),
        (dict(generator={**adam(), "ruls": {}}), "unknown key 'ruls'. Did you mean 'rules'"),
        (dict(generator={**adam(), "rules": {"*": dict(lr_mul=2)}}), "Did you mean 'lr_mult'"),
        (dict(generater=adam()), "unknown key 'generater'. Did you mean 'generator'"),
        (dict(generator={**adam(), "rules": {"*": dict(freeze=True)}}), "no trainable parameter"),
        (dict(precision="float8"), "precision must be one of auto, float32, bfloat16, float16, got 'float8'"),
        (dict(precision="float16"), "needs a CUDA device, the model is on cpu"),
    ],
)
def test_bad_settings_are_named(sections, message):
    with pytest.raises(ValueError, match=message):
        build(**sections)


def test_missing_section_is_named():
    with pytest.raises(ValueError, match="lacks the section"):
        GANOptimWrapperConstructor(dict(generator=adam()))


def test_weight_decay_is_coupled_l2():
    # Adam of a parameter without a loss gradient still moves by lr * sign(weight): the decay
    # passes through the moments (Omni-GAN, Sec. 4.2), unlike decoupled AdamW.
    model, wrappers = build(adam(lr=0.01, weight_decay=0.1))
    weight = model.generator[0].weight
    before = weight.detach().clone()
    weight.grad = torch.zeros_like(weight)
    wrappers["generator"].step()
    assert torch.allclose(weight, before - 0.01 * before.sign(), atol=1e-6)


def test_bfloat16_computes_in_bfloat16_and_keeps_float32_weights():
    model, wrappers = build(precision="bfloat16")
    wrapper = wrappers["generator"]
    with wrapper.autocast():
        output = model.generator(torch.randn(4, 2))
    assert output.dtype == torch.bfloat16
    wrapper.backward(output.float().square().mean())
    wrapper.unscale_gradients()
    wrapper.step()
    assert {p.dtype for p in wrapper.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in wrapper.parameters()} == {torch.float32}


def test_gradients_are_clipped_to_the_norm():
    model, wrappers = build({**adam(), "clip_grad": dict(max_norm=1e-3)})
    wrapper = wrappers["generator"]
    wrapper.backward(model.generator(torch.randn(4, 2)).square().sum())
    wrapper.unscale_gradients()
    wrapper.step()
    norm = torch.stack([p.grad.norm() for p in wrapper.parameters()]).norm()
    assert norm == pytest.approx(1e-3, rel=1e-3)


def test_gradients_are_clipped_by_value():
    model, wrappers = build({**adam(), "clip_grad": dict(type="value", clip_value=1e-3)})
    wrapper = wrappers["generator"]
    wrapper.backward(model.generator(torch.randn(4, 2)).square().sum())
    before = [p.grad.clone() for p in wrapper.parameters()]
    wrapper.step()
    clipped = [gradient.clamp(-1e-3, 1e-3) for gradient in before]
    assert any(not torch.equal(a, b) for a, b in zip(before, clipped, strict=True))
    assert all(torch.equal(p.grad, c) for p, c in zip(wrapper.parameters(), clipped, strict=True))


def test_state_round_trip_continues_bit_identically():
    def step(model, wrapper):
        wrapper.zero_grad()
        wrapper.backward(model.generator(torch.ones(1, 2)).square().sum())
        wrapper.step()

    model, wrappers = build({**adam(), "rules": {"*.bias": dict(lr_mult=2.0)}})
    step(model, wrappers["generator"])
    other, restored = build({**adam(), "rules": {"*.bias": dict(lr_mult=2.0)}})
    other.load_state_dict(model.state_dict())
    restored.load_state_dict(copy.deepcopy(wrappers.state_dict()))
    step(model, wrappers["generator"])
    step(other, restored["generator"])
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="float16 training needs CUDA")
def test_float16_scaler_state_is_saved():
    weight = nn.Parameter(torch.ones(1, device="cuda"))
    wrapper = GANOptimWrapper(torch.optim.Adam([weight]), precision="float16")
    assert "scale" in wrapper.state_dict()["scaler"]
