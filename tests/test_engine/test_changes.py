"""What a config may change of a run that goes on, key by key, and that what is allowed is applied."""

import math
from copy import deepcopy

import pytest

from mmcgan.checkpoints.files import CheckpointError, load_checkpoint, save_checkpoint
from mmcgan.config import load_config
from mmcgan.engine.changes import Change, ConfigChangedError, changes_allowed, training_changes

from .tiny_run import ADAM, EVALUATION, differences, train

COSINE = {
    "param_scheduler": dict(generator=[dict(type="CosineAnnealingLR", T_max=6, by_epoch=False)]),
}

# --- which settings are which ---------------------------------------------------------------------
#: paths of a whole config that do not change what is learnt, by their first keys
FREE = (
    *("work_dir", "resume", "load_from", "launcher", "log_level", "log_processor", "visualizer", "env_cfg"),
    *("default_scope", "runner_type", "experiment_name", "custom_imports", "distributed", "compile"),
    *("val_dataloader", "val_evaluator", "val_cfg", "test_dataloader", "test_evaluator", "test_cfg"),
    *("train_cfg.max_iters", "train_cfg.val_interval", "train_cfg.val_begin"),
    *("train_dataloader.num_workers", "train_dataloader.persistent_workers", "train_dataloader.pin_memory"),
    *("train_dataloader.prefetch_factor", "default_hooks.timer", "default_hooks.logger"),
    *("default_hooks.checkpoint", "default_hooks.sample_grid", "default_hooks.finite_guard", "cfg"),
    *("default_hooks.runtime_info", "default_hooks.sampler_seed", "default_hooks.param_scheduler"),
    *("default_hooks.early_stop", "default_hooks.diagnostics", "default_hooks.throughput"),
)
NAMES = ["biggan_digits-16", "stylegan2-d2dce_digits-16", "spade-omni_scenes-64", "r3gan_digits-16"]


def leaves(value, path=()):
    """Yield every path to a plain value, and the value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def changed(value):
    """Return another value of about the same kind."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value * 2 + 1
    if isinstance(value, str):
        return f"{value}-other"
    return [*value, 1] if value else [1]


PLAYED = dict.fromkeys(("generator", "discriminator"), "float32")


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_config_is_taken_or_refused_and_none_overlooked(name):
    config = load_config(name).to_dict()
    assert training_changes(config, deepcopy(config), PLAYED) == []
    for path, value in leaves(config):
        dotted = ".".join(map(str, path))
        if path[-1] == "type" or dotted.startswith("_"):
            continue
        other = deepcopy(config)
        holder = other
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = changed(value)
        found = [change.path for change in training_changes(config, other, PLAYED)]
        free = any(dotted == prefix or dotted.startswith(f"{prefix}.") for prefix in FREE)
        if dotted.startswith("optim_wrapper") and path[-1] == "precision":
            assert found, dotted
        elif free and path[-1] != "tf32":
            assert found == [], dotted
        else:
            assert found == [dotted], dotted


def test_auto_precision_is_what_the_run_has_computed_in():
    auto, named = dict(optim_wrapper=dict(precision="auto")), dict(optim_wrapper=dict(precision="bfloat16"))
    both = dict.fromkeys(("generator", "discriminator"), "bfloat16")
    assert training_changes(auto, auto, both) == []
    assert training_changes(auto, named, both) == []
    assert training_changes(named, auto, both) == []
    single = dict(optim_wrapper=dict(precision="float32"))
    assert [change.now for change in training_changes(auto, single, both)] == ["float32"] * 2
    assert training_changes(dict(), single) == []  # what it is without being said


def test_lists_and_tuples_and_numbers_that_are_equal_are_no_change():
    assert training_changes(dict(a=(1, 2), b=0, c=None), dict(a=[1, 2.0], b=0.0)) == []


def test_arithmetic_of_the_device_is_no_mere_place():
    assert training_changes(dict(env_cfg=dict(tf32=True)), dict(env_cfg=dict(tf32=False)))
    assert not training_changes(dict(), dict(env_cfg=dict(cudnn_benchmark=True)))


def test_a_hook_that_changes_the_training_counts_and_one_that_watches_does_not():
    decay = dict(default_hooks=dict(generator_ema=dict(type="GeneratorEMAHook", decay=0.9)))
    other = dict(default_hooks=dict(generator_ema=dict(type="GeneratorEMAHook", decay=0.99)))
    (change,) = training_changes(decay, other)
    assert str(change) == "default_hooks.generator_ema.decay: 0.9 -> 0.99"
    save = dict(default_hooks=dict(checkpoint=dict(type="GANCheckpointHook", interval=7)))
    assert training_changes(dict(), save) == []


# --- in a run -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run of six iterations that can be copied and gone on with."""
    folder = tmp_path_factory.mktemp("stopped")
    train(folder, **COSINE, train_cfg=dict(max_iters=4))
    return load_checkpoint(folder / "iter_4.pth")


def go_on(stopped, folder, allowed=False, **changes):
    save_checkpoint(stopped, folder / "iter_4.pth")
    with changes_allowed(allowed):
        return train(folder, resume=True, **{**COSINE, **changes})


def test_a_changed_training_is_refused_with_the_list_of_differences(stopped, tmp_path):
    changes = {"train_dataloader.batch_size": 16, "optim_wrapper.generator.optimizer": {**ADAM, "lr": 0.1}}
    with pytest.raises(ConfigChangedError) as caught:
        go_on(stopped, tmp_path, **changes)
    text = str(caught.value)
    assert "iter_4.pth comes from a run whose config differs" in text
    assert "train_dataloader.batch_size: 8 -> 16" in text
    assert "optim_wrapper.generator.optimizer.lr: 0.001 -> 0.1" in text
    assert "--allow-changes" in text


def test_what_says_how_long_how_often_and_where_is_taken(stopped, tmp_path):
    plain = go_on(stopped, tmp_path / "a")
    often = {"train_cfg.val_interval": 2, "default_hooks.checkpoint.interval": 2}
    longer = go_on(stopped, tmp_path / "b", **{"train_dataloader.num_workers": 1}, **often, **EVALUATION)
    assert differences(dict(plain.model.state_dict()), dict(longer.model.state_dict())) == []
    assert "history" not in load_checkpoint(tmp_path / "b" / "iter_6.pth")["meta"]


RATES = {
    "rate": {**ADAM, "lr": 0.1},
    "betas": {**ADAM, "betas": (0.5, 0.9)},
    "decay": {**ADAM, "weight_decay": 0.1},
    "AdamW": {**ADAM, "type": "AdamW", "weight_decay": 0.1},
    "SGD": dict(type="SGD", lr=0.01, momentum=0.9),
}


@pytest.mark.parametrize("name", RATES)
def test_allowed_changes_of_an_optimizer_are_applied_and_written_down(name, stopped, tmp_path):
    wanted = RATES[name]
    setting = {"optim_wrapper.generator.optimizer": {"_delete_": True, **wanted}}
    runner = go_on(stopped, tmp_path, allowed=True, **setting)
    optimizer = runner.optim_wrapper["generator"].optimizer
    assert type(optimizer).__name__ == wanted["type"]
    (group,) = optimizer.param_groups
    assert group["initial_lr"] == wanted["lr"]
    # the schedule runs as if it had started from the new rate: the last but one of six steps of a half-cosine
    assert group["lr"] == pytest.approx(wanted["lr"] * (1 + math.cos(math.pi * 5 / 6)) / 2)
    for key in ("betas", "weight_decay", "momentum"):
        if key in wanted:
            assert group[key] == wanted[key]
    moments = next(iter(optimizer.state.values()))
    if name != "SGD":
        assert int(moments["step"]) == 6  # the moments of four iterations went on
    history = load_checkpoint(tmp_path / "iter_6.pth")["meta"]["history"]
    assert history[0]["iter"] == 4
    assert any("optim_wrapper.generator.optimizer" in change for change in history[0]["changes"])
    log = next(tmp_path.glob("*/*.log")).read_text()
    assert "changed from iteration 4 on: optim_wrapper.generator.optimizer" in log


def test_history_stays_in_later_checkpoints(stopped, tmp_path):
    doubled = {**COSINE, "model.losses": dict(adversarial=dict(weights=2.0))}
    go_on(stopped, tmp_path, allowed=True, **doubled)
    again = train(tmp_path, resume=True, **doubled)
    assert again.history[0]["changes"] == ["model.losses.adversarial.weights: 1.0 (by default) -> 2.0"]


def test_moments_find_their_parameters_by_name(stopped, tmp_path):
    shuffled = deepcopy(stopped)
    names = shuffled["optimizer_names"]["generator"]
    order = list(reversed(range(len(names))))
    state = shuffled["optimizer"]["generator"]["state"]
    shuffled["optimizer"]["generator"]["state"] = {i: state[number] for i, number in enumerate(order)}
    shuffled["optimizer_names"]["generator"] = [names[number] for number in order]
    first, second = go_on(stopped, tmp_path / "a"), go_on(shuffled, tmp_path / "b")
    assert differences(dict(first.model.state_dict()), dict(second.model.state_dict())) == []


def test_a_schedule_that_has_ended_at_rate_0_is_named(tmp_path):
    short = dict(generator=[dict(type="LinearLR", start_factor=1.0, end_factor=0.0, end=3, by_epoch=False)])
    train(tmp_path, param_scheduler=short, train_cfg=dict(max_iters=4))
    with pytest.raises(CheckpointError, match=r"rate of generator is 0 .*Extend param_scheduler\.generator"):
        train(tmp_path, param_scheduler=short, resume=True, train_cfg=dict(max_iters=8))
    longer = dict(generator=[{**short["generator"][0], "end": 9}])
    with changes_allowed(True):
        runner = train(tmp_path, param_scheduler=longer, resume=True, train_cfg=dict(max_iters=8))
    assert runner.optim_wrapper["generator"].optimizer.param_groups[0]["lr"] == pytest.approx(0.0)


@pytest.mark.parametrize("wanted", [4, 3])
def test_nothing_left_to_train_is_said(wanted, stopped, tmp_path):
    go_on(stopped, tmp_path, train_cfg=dict(max_iters=wanted))
    log = next(tmp_path.glob("*/*.log")).read_text()
    assert (
        f"nothing to train: {tmp_path}/iter_4.pth is at iteration 4, train_cfg.max_iters is {wanted}" in log
    )


def test_a_change_reads_as_what_was_and_is():
    assert str(Change("a.b", 1, "x" * 200)).startswith("a.b: 1 -> 'xxx")
    assert len(str(Change("a", "y" * 500, 1))) < 120
