"""Mistakes of every kind, at every place of a config, are named before anything is made."""

import copy
import math
from functools import cache

import pytest

from mmcgan.config import find_config
from mmcgan.config.components import walk
from mmcgan.config.load import prepare_config, read_config
from mmcgan.config.ranges import Range
from tests.test_config.mistakes import MISTAKES

NOT_A_NUMBER = float("nan")
# settings that the whole walk leaves to whoever runs: any text or number will do
FREE = {"default_scope", "work_dir", "experiment_name"}


def planted(value):
    """Yield what ``value`` may be mistaken for."""
    if isinstance(value, bool):
        yield from ("yes", [1], 2.5, None)
    elif isinstance(value, int | float):
        yield from (-1, NOT_A_NUMBER, "many", [value], {"a": 1})
    elif isinstance(value, str):
        yield from (3, ["a"], None)
    elif isinstance(value, list | tuple):
        yield from (3, "text")
    elif isinstance(value, dict):
        yield from ("text", 3, ["a"])


def at(config, path):
    for key in path:
        config = config[int(key)] if isinstance(config, list | tuple) else config[key]
    return config


def mistakes(config):
    """Yield (path, wrong value) for every key of every dict."""
    for node in walk(config):
        for key, value in node.config.items():
            if key not in FREE:
                yield from (((*node.path, str(key)), wrong) for wrong in planted(value))


def unnamed(name, chosen):
    """Return the planted mistakes that nothing was said about, of those that ``chosen`` picks."""
    config = read_config(find_config(name))
    missed = []
    for number, (path, wrong) in enumerate(mistakes(config._cfg_dict)):
        if chosen(number):
            changed = copy.deepcopy(config)
            at(changed._cfg_dict, path[:-1])[path[-1]] = wrong
            found = prepare_config(changed, {})
            if not found:
                missed.append(f"{'.'.join(path)} = {wrong!r}")
    return missed


def allowed(missed):
    """Leave out what is no mistake: None for "none", a number whose sign is free, one weight for all."""
    meant = ("save_best = None", "max_keep = None", "seed = None", "rule = None", "spectral_norm = None")
    return [
        text
        for text in missed
        if not text.endswith(meant)
        and not ("weights." in text and text.endswith("= -1"))
        and not text.endswith(".weights = 3")
    ]


def test_a_tenth_of_all_mistakes_in_a_laptop_config_is_named():
    assert allowed(unnamed("omnigan_biggan_digits-16", lambda number: number % 10 == 0)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("omnigan_biggan_digits-16", "reacgan_biggan_fashion-mnist-32", "stylegan2-d2dce_digits-16"),
        *(
            "r3gan_digits-16",
            "omni-inr_biggan_digits-16",
            "infogan_dcgan_digits-16",
        ),
    ],
)
def test_all_mistakes_are_named(name):
    assert allowed(unnamed(name, lambda number: True)) == []


def said_about(path, value, name="omnigan_biggan_digits-16"):
    """Return what is said about a config with a value planted at a dotted path."""
    config = copy.deepcopy(planted_into(name))
    content = config._cfg_dict
    *parents, last = path.split(".")
    for key in parents:
        content = content.setdefault(key, {})
    content[last] = copy.deepcopy(value)
    return [str(problem) for problem in prepare_config(config, {})]


@cache
def planted_into(name):
    return read_config(find_config(name))


def unclear(rows):
    """Return the rows of ``MISTAKES`` about which nothing is said, or what only a programmer understands."""
    found = {f"{path} = {value!r}": said_about(path, value) for path, value in rows}
    python = ("object has no attribute", "unsupported operand", "not supported between", "NoneType")
    return {
        row: said
        for row, said in found.items()
        if not said or any(words in sentence for words in python for sentence in said)
    }


def test_the_sound_config_has_no_problems():
    assert prepare_config(copy.deepcopy(planted_into("omnigan_biggan_digits-16")), {}) == []


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_share_of_further_mistakes_is_named(kind):
    assert unclear(MISTAKES[kind][len(kind) % 8 :: 8]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MISTAKES)
def test_all_further_mistakes_are_named(kind):
    assert unclear(MISTAKES[kind]) == {}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.data_preprocessor.flip_probability", 2, "at least 0 and at most 1, got 2"),
        ("optim_wrapper.generator.optimizer.lr", 0, "greater than 0"),
        ("optim_wrapper.generator.optimizer.betas", (0.0, 1.0), "at least 0 and less than 1"),
        ("optim_wrapper.generator.optimizer.weight_decay", -1e-4, "of at least 0"),
        ("train_cfg.max_iters", 0, "a whole number of at least 1"),
        ("default_hooks.checkpoint.save_best", "kid", "no metric of val_evaluator gives"),
        (
            "default_hooks.sample_grid.labels",
            [0, 10],
            "10 is beyond the 10 classes of the generator",
        ),
        ("randomness.seed", "zero", "must be int | None"),
        ("model.generator.image_size", 24, "image_size"),
        ("val_evaluator.metrics", [dict(type="FID"), dict(type="FID")], "FID stands there 2 times"),
        ("val_evaluator.metrics", [None], "metrics"),
        (
            "param_scheduler",
            dict(generator=[dict(type="StepLR", step_size=-5)], discriminator=[]),
            "step_size: must be a whole number of at least 1, got -5",
        ),
        (
            "param_scheduler",
            dict(generator=[dict(type="CosineAnnealingLR", T_max=0)], discriminator=[]),
            "T_max: must be a whole number of at least 1, got 0",
        ),
        ("model.losses", ["OmniLoss"], "model.losses"),
        ("default_hooks.param_scheduler", ["a"], "default_hooks.param_scheduler: must be a dict"),
        ("custom_hooks", ["EarlyStopHook"], "custom_hooks.0: must be a dict"),
        ("train_dataloader.batch_size", 8000, "8000 is more than the 1438 images of the training set"),
        (
            "model.discriminator.backbone",
            dict(type="PatchBackbone", num_scales="many"),
            "num_scales: must be int",
        ),
        (
            "default_hooks.schedule",
            {
                "type": "ScheduleHook",
                "values": {
                    "optimizer.generator.beta2": dict(kind="cosine", start=-1, end=0.9),
                },
            },
            "optimizer.generator.beta2 cannot be -1",
        ),
        ("model.discriminator.heads", "OmniHead", "heads"),
        ("model.regularizers", dict(r1=dict(type="R1", weight=-1.0)), "weight"),
        ("default_hooks.early", dict(type="EarlyStopHook", metric="kid", patience=2), "which no metric"),
    ],
)
def test_mistakes_that_need_more_than_one_place(path, value, message):
    config = read_config(find_config("omnigan_biggan_digits-16"))
    content = config._cfg_dict
    *parents, last = path.split(".")
    for key in parents:
        content = content.setdefault(key, {})
    content[last] = value
    found = prepare_config(config, {})
    assert any(message in str(problem) for problem in found), found


@pytest.mark.parametrize(
    ("allowed_numbers", "inside", "outside"),
    [
        (Range(least=1, whole=True), [1, 7, 2.0], [0, -1, 1.5, math.nan, math.inf]),
        (Range(least=0, above=True), [1e-30, math.inf], [0, -1e-30, math.nan]),
        (Range(least=0, most=1, below=True), [0, 0.999], [1, -0.1]),
        (Range(), [-math.inf, 0, math.inf], [math.nan]),
    ],
)
def test_ranges(allowed_numbers, inside, outside):
    assert all(map(allowed_numbers.holds, inside))
    assert not any(map(allowed_numbers.holds, outside))


def test_a_class_may_say_otherwise_of_its_own_arguments():
    from mmcgan.registry import HOOKS

    @HOOKS.register_module(force=True)
    class CountsDown:
        ranges = {"interval": Range(most=-1, whole=True)}

        def __init__(self, interval: int) -> None:
            self.interval = interval

    config = read_config(find_config("omnigan_biggan_digits-16"))
    hooks = [dict(type="CountsDown", interval=number) for number in (-3, 3)]
    config._cfg_dict["custom_hooks"] = hooks
    assert [str(problem) for problem in prepare_config(config, {})] == [
        "custom_hooks.1.interval: must be a whole number at most -1, got 3"
    ]
