"""Hooks in real, tiny runs, and their settings."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from torch import nn

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.engine import GANRunner
from mmcgan.hooks import EarlyStopHook, FiniteGuardHook, WeightDecayScheduleHook
from mmcgan.hooks.checkpoint import GANCheckpointHook
from mmcgan.hooks.finite_guard import non_finite_tensors
from mmcgan.hooks.monitor import Monitor
from mmcgan.registry import HOOKS, METRICS
from tests.test_engine.tiny_run import EVALUATION, MeanLevel, differences, tiny_config, train


@HOOKS.register_module(force=True)
class Poison(Hook):
    """Makes one weight NaN in the middle of training."""

    def __init__(self, iteration):
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx + 1 == self.iteration:
            runner.model.discriminator.heads["adv"].get_parameter(self.layer(runner)).data[0] = float("nan")

    @staticmethod
    def layer(runner):
        return next(name for name, _ in runner.model.discriminator.heads["adv"].named_parameters())


@METRICS.register_module(force=True)
class Scripted(MeanLevel):
    """An evaluation whose figures are given in advance."""

    def __init__(self, values):
        super().__init__()
        self.values = iter(values)

    def compute_metrics(self, results):
        return {"fid": next(self.values)}


def scripted(*values, interval=1):
    return {
        **EVALUATION,
        "val_evaluator": dict(type="Scripted", values=list(values)),
        "train_cfg.val_interval": interval,
    }


# --- generator EMA -------------------------------------------------------------------------------
def test_the_average_follows_the_generator_and_only_it(tmp_path):
    runner = train(
        tmp_path, **{"default_hooks.generator_ema": dict(decay=0.9, start=4), "train_cfg.max_iters": 3}
    )
    model = runner.model
    assert differences(dict(model.generator.state_dict()), dict(model.generator_ema.state_dict())) == []
    runner = train(tmp_path / "on", **{"default_hooks.generator_ema": dict(decay=0.9, start=4)})
    early = load_checkpoint(tmp_path / "on" / "iter_3.pth")["state_dict"]
    late = load_checkpoint(tmp_path / "on" / "iter_6.pth")["state_dict"]
    weight = next(n for n, _ in runner.model.generator.named_parameters())
    moved = (late[f"generator_ema.{weight}"] - early[f"generator_ema.{weight}"]).norm()
    assert 0 < moved < (late[f"generator.{weight}"] - early[f"generator.{weight}"]).norm()


def test_an_average_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"needs model\.ema=True"):
        train(tmp_path, **{"model.ema": False})


# --- finite guard --------------------------------------------------------------------------------
def test_nan_stops_within_the_iteration_and_leaves_the_last_good_checkpoint(tmp_path):
    with pytest.raises(FloatingPointError) as caught:
        train(tmp_path, custom_hooks=[dict(type="Poison", iteration=6)], **EVALUATION)
    message = str(caught.value)
    assert "iteration 6" in message
    assert "; discriminator." in message
    assert "losses: d_adversarial_real = nan" in message
    assert [path.name for path in tmp_path.glob("*.pth")] == ["iter_3.pth"]
    weights = load_checkpoint(tmp_path / "iter_3.pth")["state_dict"]
    assert all(torch.isfinite(value).all() for value in weights.values())


def guarded(model, outputs, hook):
    hook.after_train_iter(SimpleNamespace(model=model, iter=9, work_dir="out"), 9, outputs=outputs)


def test_the_guard_names_the_loss_and_has_patience_with_losses_only():
    good, bad = {"g_hinge": torch.tensor(1.0)}, {"g_hinge": torch.tensor(float("inf"))}
    hook = FiniteGuardHook(patience=1)
    for outputs in (bad, good, bad):
        guarded(nn.Linear(2, 2), outputs, hook)
    with pytest.raises(FloatingPointError, match=r"iteration 10: .*g_hinge = inf"):
        guarded(nn.Linear(2, 2), bad, hook)
    with pytest.raises(FloatingPointError, match="weights are not finite in weight"):
        guarded(
            nn.utils.skip_init(nn.Linear, 2, 2).requires_grad_(False).apply(poison), good, FiniteGuardHook(5)
        )


def poison(module):
    module.weight.fill_(float("-inf"))
    module.bias.fill_(0)


def test_large_weights_and_statistics_are_told_from_infinite_ones():
    norm = nn.BatchNorm1d(2)
    norm.weight.data.fill_(3e38)
    assert non_finite_tensors(norm) == []
    norm.running_var[1] = float("nan")
    assert non_finite_tensors(norm) == ["running_var"]


# --- checkpoints ---------------------------------------------------------------------------------
def test_old_checkpoints_go_and_the_best_stays(tmp_path):
    changes = scripted(5.0, 3.0, 4.0, float("nan"), 6.0, 7.0)
    changes["default_hooks.checkpoint"] = dict(interval=1, max_keep=2, save_best="fid")
    train(tmp_path, **changes)
    names = sorted(path.name for path in tmp_path.glob("*.pth"))
    assert names == ["best_fid.pth", "iter_5.pth", "iter_6.pth"]
    best = load_checkpoint(tmp_path / "best_fid.pth")
    assert best["meta"]["iter"] == 2
    assert best["message_hub"]["info"]["best_metric"] == {"fid": 3.0, "iter": 2}
    assert (tmp_path / "last_checkpoint").read_text() == "iter_6.pth"


def test_one_lucky_evaluation_is_not_the_best_where_the_median_counts(tmp_path):
    changes = scripted(5.0, 5.0, 1.0, 4.0, 3.5, 3.6)
    changes["default_hooks.checkpoint"] = dict(interval=1, save_best="fid", median_of=3)
    train(tmp_path, **changes)
    best = load_checkpoint(tmp_path / "best_fid.pth")
    assert best["message_hub"]["info"]["best_metric"] == {"fid": 3.5, "iter": 5}


def test_the_evaluations_of_a_median_are_remembered_over_a_resume(tmp_path):
    keep = {"default_hooks.checkpoint": dict(interval=2, save_best="fid", median_of=3)}
    train(tmp_path, **{**scripted(3.0, 2.0), **keep, "train_cfg.max_iters": 2})
    assert not (tmp_path / "best_fid.pth").exists()
    train(tmp_path, resume=True, **{**scripted(1.0, 9.0, 9.0, 9.0), **keep})
    assert load_checkpoint(tmp_path / "best_fid.pth")["meta"]["iter"] == 3


def test_the_best_so_far_is_remembered_over_a_resume(tmp_path):
    keep = {"default_hooks.checkpoint": dict(interval=3, save_best="fid")}
    train(tmp_path, **{**scripted(2.0, 3.0, 4.0), **keep, "train_cfg.max_iters": 3})
    train(tmp_path, resume=True, **{**scripted(3.5, 3.0, 2.5), **keep})
    assert load_checkpoint(tmp_path / "best_fid.pth")["meta"]["iter"] == 1


def test_the_old_file_is_deleted_only_after_the_new_one_is_there(tmp_path, monkeypatch):
    changes = {"default_hooks.checkpoint": dict(interval=3, max_keep=1)}

    def fail(state, path):
        if "iter_6" in str(path):
            raise OSError(f"disk full: {path}")

    monkeypatch.setattr("mmcgan.engine.runner.save_checkpoint", fail)
    (tmp_path / "iter_3.pth").write_bytes(b"stands for a good file")
    with pytest.raises(OSError, match="disk full"):
        train(tmp_path, **changes)
    assert (tmp_path / "iter_3.pth").exists()


def test_a_checkpoint_says_what_made_it(tmp_path):
    train(tmp_path, **{"train_cfg.max_iters": 1})
    meta = load_checkpoint(tmp_path / "iter_1.pth")["meta"]
    assert "DCGANGenerator" in meta["cfg"]
    assert meta["dataset_meta"]["num_classes"] == 10
    assert (meta["seed"], meta["iter"], meta["images_seen"]) == (3, 1, 8)


def test_weights_alone_cannot_be_resumed_but_loaded(tmp_path):
    trained = train(tmp_path / "first", **{"train_cfg.max_iters": 1})
    weights = tmp_path / "weights.pth"
    torch.save({"state_dict": trained.model.state_dict()}, weights)
    with pytest.raises(ValueError, match="cannot be resumed: it lacks meta, optimizer"):
        train(tmp_path / "second", resume=True, load_from=str(weights))
    assert train(tmp_path / "third", load_from=str(weights)).iter == 6


@pytest.mark.parametrize("settings", [dict(interval=0), dict(max_keep=0)])
def test_bad_checkpoint_settings_are_named(settings):
    with pytest.raises(ValueError, match="must be >= 1, got"):
        GANCheckpointHook(**settings)


# --- metrics to watch ----------------------------------------------------------------------------
def test_monitor_infers_and_compares():
    assert Monitor("fid").is_better(1.0, 2.0)
    assert Monitor("conditional_accuracy").is_better(2.0, 1.0)
    assert not Monitor("fid").is_better(float("nan"), 2.0)
    assert Monitor("fid").is_better(2.0, None)
    assert not Monitor("fid").is_better(1.95, 2.0, margin=0.1)
    with pytest.raises(ValueError, match="rule='less' or 'greater'"):
        Monitor("zebra")
    with pytest.raises(KeyError, match="Did you mean 'fid'"):
        Monitor("fids", "less").read({"fid": 1.0})


# --- early stopping ------------------------------------------------------------------------------
def test_early_stop_waits_and_survives_a_resume(tmp_path):
    stop = {"custom_hooks": [dict(type="EarlyStopHook", monitor="fid", patience=3)]}
    train(tmp_path, **{**scripted(5.0, 6.0, 7.0), **stop, "train_cfg.max_iters": 3})
    resumed = train(tmp_path, resume=True, **{**scripted(8.0, 9.0, 10.0), **stop})
    assert resumed.iter == 4
    assert (tmp_path / "iter_4.pth").is_file()


@pytest.mark.parametrize(
    ("settings", "values", "iterations"),
    [
        (dict(target=3.0), [4.0, 2.5], 2),
        (dict(), [4.0, float("nan")], 2),
        (dict(patience=1, min_delta=1.0), [4.0, 3.5], 2),
    ],
)
def test_early_stop_at_a_target_or_nan_or_too_small_a_gain(settings, values, iterations, tmp_path):
    hook = dict(type="EarlyStopHook", monitor="fid", **settings)
    assert train(tmp_path, custom_hooks=[hook], **scripted(*values)).iter == iterations


def test_early_stop_needs_patience():
    with pytest.raises(ValueError, match="patience must be >= 1, got 0"):
        EarlyStopHook("fid", patience=0)


# --- weight decay --------------------------------------------------------------------------------
def decays(config, iterations, total=100):
    hook = WeightDecayScheduleHook(discriminator=config)
    weight = nn.Parameter(torch.ones(1))
    groups = [dict(params=[weight]), dict(params=[nn.Parameter(torch.ones(1))], decay_mult=0.0)]
    optimizer = torch.optim.Adam(groups, lr=1.0)
    wrapper = {"discriminator": SimpleNamespace(optimizer=optimizer)}
    seen = []
    for iteration in iterations:
        runner = SimpleNamespace(
            iter=iteration,
            max_iters=total,
            optim_wrapper=wrapper,
            message_hub=MessageHub.get_instance("decay"),
        )
        hook.before_train_iter(runner, iteration)
        assert optimizer.param_groups[1]["weight_decay"] == 0.0
        seen.append(optimizer.param_groups[0]["weight_decay"])
    return seen


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (dict(kind="constant", value=0.5), [0.5, 0.5, 0.5]),
        (dict(kind="linear", start=1.0, end=0.0), [1.0, 0.5, 0.0]),
        (dict(kind="linear", start=1.0, end=0.0, begin=50, until=60), [1.0, 1.0, 0.0]),
        (dict(kind="cosine", start=1.0, end=0.5), [1.0, 0.75, 0.5]),
        (dict(kind="step", start=1.0, factor=0.1, milestones=[50, 100]), [1.0, 0.1, 0.01]),
    ],
)
def test_weight_decay_schedules(config, expected):
    assert decays(config, [0, 50, 100]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (dict(kind="linaer"), "Did you mean 'linear'"),
        (dict(kind="linear", start=1.0), "missing 1 required .*'end'"),
    ],
)
def test_bad_schedules_are_named(config, message):
    with pytest.raises(ValueError, match=message):
        WeightDecayScheduleHook(generator=config)


# --- logging -------------------------------------------------------------------------------------
def test_the_log_tells_speed_and_time_left(tmp_path):
    runner = train(tmp_path, **EVALUATION)
    (log,) = tmp_path.glob("*/*.log")
    lines = [line for line in log.read_text().splitlines() if "Iter(train)" in line]
    assert len(lines) == 3
    for word in ("[6/6]", "eta: 0:00:00", "images_per_second: ", "d_adversarial_real: ", "generator.lr: "):
        assert word in lines[-1]
    (scalars,) = tmp_path.glob("*/vis_data/scalars.json")
    rows = [json.loads(line) for line in scalars.read_text().splitlines()]
    speeds = [row["images_per_second"] for row in rows if "images_per_second" in row]
    assert len(speeds) == 3
    hub = runner.message_hub
    assert speeds[-1] == pytest.approx(8 * 6 / sum(hub.get_scalar("train/time").data[0]), rel=1e-3)


def test_tensorboard_receives_scalars_and_pictures(tmp_path):
    pytest.importorskip("tensorboard")
    backends = dict(type="Visualizer", vis_backends=[dict(type="TensorboardVisBackend")])
    grid = dict(type="SampleGridHook", interval=6, rows=1, columns=2)
    train(tmp_path, visualizer=backends, custom_hooks=[grid])
    (events,) = tmp_path.glob("*/vis_data/events*")
    content = events.read_bytes()
    assert b"images_per_second" in content
    assert b"samples" in content


def test_a_learning_rate_schedule_moves_its_own_optimiser_only(tmp_path):
    schedule = dict(generator=[dict(type="StepLR", step_size=3, gamma=0.1, by_epoch=False)], discriminator=[])
    runner = train(tmp_path, param_scheduler=schedule, **{"train_cfg.max_iters": 4})
    rates = {name: wrapper.optimizer.param_groups[0]["lr"] for name, wrapper in runner.optim_wrapper.items()}
    assert rates == {"generator": pytest.approx(1e-4), "discriminator": 1e-3}


def test_hooks_that_watch_a_metric_stay_quiet_outside_training(tmp_path):
    hooks = [dict(type="EarlyStopHook", monitor="fid", patience=1)]
    changes = scripted(5.0, 6.0, 7.0)
    changes["default_hooks.checkpoint"] = dict(interval=1, save_best="fid")
    runner = GANRunner.from_cfg(tiny_config(tmp_path, custom_hooks=hooks, **changes))
    assert runner.val() == {"fid": 5.0}
    assert not runner.is_training
    assert not list(tmp_path.glob("*.pth"))
