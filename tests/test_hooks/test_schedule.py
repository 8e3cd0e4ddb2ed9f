"""Numbers of a run that follow a schedule."""

import math

import pytest

from mmcgan.checkpoints.files import load_checkpoint, save_checkpoint
from mmcgan.hooks import ScheduleHook
from tests.test_engine.tiny_run import ADAM, differences, train

COSINE = dict(kind="cosine", start=0.5, end=0.1)


def scheduled(values, unit="iterations"):
    return {"default_hooks.schedule": dict(type="ScheduleHook", unit=unit, values=values)}


def cosine(progress, start=0.5, end=0.1):
    return end + (start - end) * (1 + math.cos(math.pi * min(progress, 1))) / 2


def test_every_kind_of_number_is_set_before_the_iteration(tmp_path):
    values = {
        "optimizer.generator.lr": dict(kind="cosine", start=0.02, end=0.01, until=4),
        "optimizer.discriminator.beta2": COSINE,
        "regularizers.r1.weight": COSINE,
        "generator_ema.half_life_images": dict(kind="linear", start=0, end=60),
        "augment.probability.p": COSINE,
    }
    options = {
        "model.regularizers": dict(r1=dict(type="R1")),
        "model.augment": dict(type="ADA", transforms=("colour",), p=0.0),
        "default_hooks.generator_ema": dict(half_life_images=100, start=0),
    }
    runner = train(tmp_path, **scheduled(values), **options)
    last = runner.max_iters - 1
    generator = runner.optim_wrapper["generator"].optimizer.param_groups[0]
    assert generator["lr"] == pytest.approx(cosine(last / 4, 0.02, 0.01))
    beta = runner.optim_wrapper["discriminator"].optimizer.param_groups[0]["betas"][1]
    assert beta == pytest.approx(cosine(last / runner.max_iters))
    assert runner.model.regularizers["r1"].weight == pytest.approx(cosine(last / runner.max_iters))
    assert float(runner.model.augment.probability.p) == pytest.approx(cosine(last / runner.max_iters))
    hook = next(hook for hook in runner.hooks if hasattr(hook, "rule"))
    assert hook.rule.half_life_images == pytest.approx(60 * last / runner.max_iters)


def test_images_count_what_the_discriminator_saw(tmp_path):
    values = {"optimizer.generator.lr": dict(kind="linear", start=0.0, end=1.0, until=1000)}
    options = {"model.step": dict(generator_real="own")}
    runner = train(tmp_path, **scheduled(values, "images"), **options)
    shown = runner.train_loop.images_per_iteration / 2 * (runner.max_iters - 1)
    assert runner.optim_wrapper["generator"].optimizer.param_groups[0]["lr"] == pytest.approx(shown / 1000)


RULES = {
    "optim_wrapper.generator": dict(
        optimizer=dict(ADAM, weight_decay=0.1),
        rules={"generator.linear.*": dict(lr_mult=0.1), "*.bias": dict(decay_mult=0.0)},
    )
}
MULTIPLIERS = {"lr": "lr_mult", "weight_decay": "decay_mult"}


@pytest.mark.parametrize(("field", "multiplier"), MULTIPLIERS.items())
def test_rules_multiply_what_a_schedule_sets(field, multiplier, tmp_path):
    values = {f"optimizer.generator.{field}": dict(kind="constant", value=0.02)}
    train(tmp_path, **scheduled(values), **RULES)
    runner = train(tmp_path, resume=True, **scheduled(values), **RULES, **{"train_cfg.max_iters": 7})
    groups = runner.optim_wrapper["generator"].optimizer.param_groups
    found = [(group[field], 0.02 * group[multiplier]) for group in groups]
    assert [value for value, _ in found] == pytest.approx([wanted for _, wanted in found])
    assert len({value for value, _ in found}) == 2, "the rules set some parameters apart"
    other = "weight_decay" if field == "lr" else "lr"
    rates = [group[other] / group[MULTIPLIERS[other]] for group in groups if group[other]]
    assert rates == pytest.approx([0.1 if field == "lr" else 1e-3] * len(rates)), (
        "the other one is left alone"
    )


def test_a_checkpoint_whose_groups_know_no_multiplier_goes_on_as_it_was_trained(tmp_path):
    values = {"optimizer.generator.lr": dict(kind="constant", value=0.02)}
    train(tmp_path, **scheduled(values), **RULES)
    path = tmp_path / "iter_3.pth"
    content = load_checkpoint(path)
    for group in content["optimizer"]["generator"]["param_groups"]:
        del group["lr_mult"]
    save_checkpoint(content, path)
    (tmp_path / "iter_6.pth").unlink()
    runner = train(tmp_path, resume=True, **scheduled(values), **RULES)
    groups = runner.optim_wrapper["generator"].optimizer.param_groups
    assert runner.iter == 6 and [group["lr"] for group in groups] == [0.02] * len(groups)


def test_a_resumed_run_follows_the_same_schedule(tmp_path):
    # the end is said: by default it is the run's, and the first part of this one is shorter
    values = {
        "optimizer.generator.lr": dict(kind="cosine", start=0.02, end=0.001, until=6),
        "optimizer.discriminator.beta2": dict(kind="cosine", start=0.5, end=0.99, until=6),
    }
    train(tmp_path / "whole", **scheduled(values))
    train(tmp_path / "parts", **scheduled(values), **{"train_cfg.max_iters": 3})
    train(tmp_path / "parts", resume=True, **scheduled(values))
    whole, parts = (load_checkpoint(tmp_path / name / "iter_6.pth") for name in ("whole", "parts"))
    for part in ("state_dict", "optimizer"):
        assert differences(whole[part], parts[part]) == []


@pytest.mark.parametrize(
    ("values", "unit", "message"),
    [
        ({"optimizer.generator.lr": dict(kind="sine")}, "iterations", r"lr'\]\.kind: 'sine' is unknown"),
        ({"optimizer.generator.lr": dict(kind="cosine", start=1)}, "iterations", "missing"),
        ({}, "epochs", "unit must be one of"),
    ],
)
def test_impossible_schedules_are_refused_at_once(values, unit, message):
    with pytest.raises(ValueError, match=message):
        ScheduleHook(values, unit)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("optimizer.generator.rate", r"Did you mean 'optimizer\.generator\.lr'"),
        ("regularizers.r1.weight", "no value 'regularizers.r1.weight'"),
        ("generator.nonsense", "has no 'nonsense'"),
        ("generator_ema.buffers", "is no number but str"),
    ],
)
def test_a_path_to_nothing_is_named_before_training(tmp_path, path, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **scheduled({path: COSINE}))
