"""Conditioning that grows: nothing of it at 0, all of it at 1, with every network, head and loss."""

import pytest
import torch
from mmengine.registry import init_default_scope

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.models.growing import grow_condition
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition, GANBatch
from tests.test_combinations import BATCH, LABELLED, NETWORKS, SIZE, build, optimizers_of
from tests.test_engine.tiny_run import differences, tiny_config, train

GROWING = {"condition_weight": dict(kind="linear", start=0.0, end=1.0, begin=1, until=5)}


def model_of(network, name):
    init_default_scope("mmcgan")
    torch.manual_seed(0)
    model = build(network, name, True)
    # heads and tables must say something of the class
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def terms(model, label, fake_label):
    image = torch.rand(BATCH, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    other = image.flip(0) * 0.9
    real = GANBatch(image, Condition(label=label))
    fake = GANBatch(other, Condition(label=fake_label))
    named = [model._named(part, model.score(part.image, part.condition)) for part in (real, fake)]
    found = {}
    for loss in model.losses:
        found |= loss.discriminator(*named) | loss.generator(named[1], named[0])
    return {key: float(value) for key, value in found.items()}


@pytest.mark.parametrize("network", NETWORKS)
@torch.no_grad()
def test_images_of_all_classes_are_one_at_weight_0_and_those_of_old_at_1(network):
    model = model_of(network, "projection")
    latent = torch.randn(BATCH, model.generator.latent_dim)

    def images(label):
        return model.generator(latent, Condition(label=torch.tensor(label)))

    first, second = images([0, 1, 2, 0]), images([1, 2, 0, 1])
    assert not torch.allclose(first, second, atol=1e-4)
    grow_condition(model, 0.0)
    torch.testing.assert_close(images([0, 1, 2, 0]), images([1, 2, 0, 1]))
    grow_condition(model, 0.5)
    assert not torch.allclose(images([0, 1, 2, 0]), images([1, 2, 0, 1]), atol=1e-5)
    grow_condition(model, 1.0)
    torch.testing.assert_close(images([0, 1, 2, 0]), first)


@pytest.mark.parametrize("name", LABELLED)
@torch.no_grad()
def test_no_loss_depends_on_a_class_at_weight_0_and_all_are_as_before_at_1(name):
    model = model_of("biggan", name)
    first, second = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 1])
    before = terms(model, first, second)
    grow_condition(model, 0.0)
    none = terms(model, first, second)
    assert none == pytest.approx(terms(model, second, first), abs=1e-5)
    assert any(abs(value) > 1e-3 for value in none.values()), "nothing is left to learn from"
    grow_condition(model, 1.0)
    assert terms(model, first, second) == pytest.approx(before, abs=1e-5)


@pytest.mark.parametrize("name", ["projection", "omni", "multi_hinge", "d2dce", "per_class"])
def test_both_players_learn_without_the_condition(name):
    model = model_of("fastgan", f"{name}@scales").train()
    grow_condition(model, 0.0)
    before = [parameter.detach().clone() for parameter in model.generator.parameters()]
    image = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    model.train_step({"image": image, "label": torch.tensor([0, 1, 0, 2])}, optimizers_of(model, "float32"))
    pairs = zip(model.generator.parameters(), before, strict=True)
    assert any(not torch.equal(new, old) for new, old in pairs)


@pytest.mark.parametrize("weight", [-0.1, 1.5])
def test_a_weight_out_of_range_is_refused(weight):
    with pytest.raises(ValueError, match=r"condition_weight must lie in \[0, 1\]"):
        grow_condition(model_of("biggan", "projection"), weight)


def test_a_player_that_looks_at_no_condition_is_named():
    init_default_scope("mmcgan")
    with pytest.raises(
        ValueError, match=r"nothing in the generator \(BigGANGenerator\) weighs its condition"
    ):
        grow_condition(build("biggan", "hinge", False), 0.5)
    with pytest.raises(ValueError, match=r"nothing in the discriminator \(BigGANBackbone\) weighs"):
        grow_condition(build("biggan", "hinge", True), 0.5)


def test_losses_that_would_all_vanish_are_named():
    model = model_of("biggan", "d2dce")
    model.losses = [loss for loss in model.losses if loss.name == "classification"]
    with pytest.raises(ValueError, match=r"nothing would train the discriminator, .*\(classification\)"):
        grow_condition(model, 0.0)


def grown(folder, **more):
    return train(folder, **{"default_hooks.schedule": dict(type="ScheduleHook", values=GROWING)}, **more)


def test_the_schedule_reaches_networks_average_and_losses(tmp_path):
    model = grown(tmp_path, **{"train_cfg.max_iters": 4}).model
    # the last iteration is the fourth, number 3: half of the way from 1 to 5
    assert model.condition_weight == 0.5
    for player in ("generator", "generator_ema", "discriminator"):
        state = getattr(model, player).state_dict()
        assert {float(v) for k, v in state.items() if k.endswith("condition_weight")} == {0.5}, player
    stored = load_checkpoint(tmp_path / "iter_4.pth")["state_dict"]
    assert 0.5 in {float(v) for k, v in stored.items() if k.endswith("condition_weight")}


def test_resuming_in_the_middle_equals_never_having_stopped(tmp_path):
    grown(tmp_path / "whole")
    grown(tmp_path / "parts", **{"train_cfg.max_iters": 3})
    resumed = grown(tmp_path / "parts", resume=True)
    assert resumed.model.condition_weight == 1.0
    whole, parts = (load_checkpoint(tmp_path / name / "iter_6.pth") for name in ("whole", "parts"))
    for part in ("state_dict", "optimizer"):
        assert differences(whole[part], parts[part]) == []


def test_an_average_from_the_middle_makes_the_images_that_were_trained(tmp_path):
    trained = grown(tmp_path, **{"train_cfg.max_iters": 3}).model.generator_ema.eval()
    stored = load_checkpoint(tmp_path / "iter_3.pth")["state_dict"]
    config = tiny_config(tmp_path / "other").model.generator
    alone = GENERATORS.build(dict(config))
    prefix = "generator_ema."
    alone.load_state_dict({k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)})
    latent, condition = torch.randn(4, 8), Condition(label=torch.arange(4))
    torch.testing.assert_close(alone.eval()(latent, condition), trained(latent, condition))
