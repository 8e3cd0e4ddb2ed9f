"""The collapse guard: silent on a healthy run, right about one that really collapses, and resumable."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.datasets import DigitsDataset
from mmcgan.engine import GANRunner
from mmcgan.hooks import CollapseGuardHook
from mmcgan.registry import HOOKS, METRICS
from mmcgan.scalars import read_scalars
from tests.test_engine.test_distributed import launch
from tests.test_engine.test_resume import NOISE
from tests.test_engine.tiny_run import EVALUATION, differences, tiny_config, train


@cache
def digits():
    dataset = DigitsDataset(split="train", image_size=8)
    return dataset.__getitems__(range(len(dataset)))["image"].flatten(1).double() / 127.5 - 1


@HOOKS.register_module(force=True)
class SomebodysRateHook(Hook):
    """Of a stranger: says what it writes, and derives from nothing of ours."""

    def writes_setting(self, player, setting):
        return (player, setting) == ("generator", "lr")


@METRICS.register_module(force=True)
class PixelDistance(BaseMetric):
    """Frechet distance of independent Gaussians fitted to the pixels of fakes and of real digits."""

    def process(self, data_batch, data_samples):
        self.results += [sample["image"].flatten(1).double() for sample in data_samples]

    def compute_metrics(self, results):
        real, fake = digits(), torch.cat(results)
        gaps = (real.mean(0) - fake.mean(0), real.std(0) - fake.std(0))
        return {"fid": float(sum(gap.square().sum() for gap in gaps))}


@METRICS.register_module(force=True)
class GivenFid(BaseMetric):
    """An evaluation whose figures are given in advance."""

    def __init__(self, values):
        super().__init__()
        self.values = iter(values)

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {"fid": next(self.values)}


def scripted(*values):
    return {
        **EVALUATION,
        "val_evaluator": dict(type="GivenFid", values=list(values)),
        "train_cfg.val_interval": 1,
    }


REAL_RUN = {
    **EVALUATION,
    "val_evaluator": dict(type="PixelDistance"),
    "val_dataloader.dataset.size": 100,
    "val_dataloader.batch_size": 100,
    "train_cfg.val_interval": 20,
    "train_dataloader.batch_size": 24,
    "model.discriminator.heads": dict(
        _delete_=True,
        adv=dict(type="AdversarialHead"),
        cls=dict(type="ClassifierHead", num_classes=10),
    ),
    "model.losses.classification": dict(type="CrossEntropyLoss", weights=dict(real=1.0, generated=1.0)),
    "optim_wrapper.generator.optimizer.lr": 4e-3,
    "optim_wrapper.discriminator.optimizer.lr": 2e-3,
    "default_hooks.logger.interval": 1000,
    "default_hooks.checkpoint": dict(interval=1000, save_best="fid"),
}


def guard(**settings):
    return dict(type="CollapseGuardHook", **{"begin": 60, "interval": 10, "patience": 2, **settings})


def log_of(work_dir):
    return "\n".join(path.read_text() for path in sorted(work_dir.glob("*/*.log")))


def events(work_dir):
    path = work_dir / "collapse_guard.json"
    return json.loads(path.read_text()) if path.exists() else []


# --- runs that really collapse -------------------------------------------------------------------
def test_a_generator_that_never_has_a_chance_is_noticed(tmp_path):
    changes = {**REAL_RUN, "train_cfg.max_iters": 40, "train_cfg.val_interval": 10}
    changes["optim_wrapper.discriminator.optimizer.lr"] = 0.1
    changes["optim_wrapper.generator.optimizer.lr"] = 1e-3
    runner = train(tmp_path, custom_hooks=[guard(action="stop", begin=20)], **changes)
    (event,) = events(tmp_path)
    assert "separates real from fake almost perfectly (100.0 % of pairs" in event["saw"]
    assert "generated images hardly differ" in event["saw"]
    assert event["action"] == "stop"
    assert f"collapse guard, iteration {event['iteration']}: since iteration" in log_of(tmp_path)
    assert runner.iter == event["iteration"] < 40
    assert (tmp_path / f"iter_{runner.iter}.pth").is_file(), "a stop leaves a checkpoint"


def test_silent_while_healthy_then_a_collapse_is_rolled_back_and_the_training_recovers(tmp_path):
    """The discriminator's learning rate is multiplied by 100 on the way: a mistake in a schedule."""
    mistake = dict(discriminator=[dict(type="MultiStepLR", milestones=[105], gamma=100, by_epoch=False)])
    back = guard(action="roll_back", roll_back=dict(multiply=dict(discriminator=dict(lr=0.01))))
    changes = {**REAL_RUN, "param_scheduler": mistake, "train_cfg.max_iters": 190}
    runner = train(tmp_path, custom_hooks=[back], **changes)
    (event,) = events(tmp_path)
    assert event["iteration"] > 105, "the healthy part must be left alone"
    assert event["loaded"] == "best_fid.pth"
    assert event["loaded_iteration"] <= 105
    assert event["changes"] == ["discriminator.lr 0.2 -> 0.002"]
    assert f"Action: rolled back to iteration {event['loaded_iteration']}" in log_of(tmp_path)
    assert runner.optim_wrapper["discriminator"].optimizer.param_groups[0]["lr"] == pytest.approx(2e-3)
    fid = read_scalars(tmp_path)["fid"]
    before = min(value for step, value in fid.items() if step < event["iteration"])
    collapsed = max(value for step, value in fid.items() if 105 < step <= event["iteration"])
    assert collapsed > before
    assert min(value for step, value in fid.items() if step > event["iteration"]) < before


# --- a roll-back in detail -----------------------------------------------------------------------
# one sign is enough and every check counts, so that the given metric alone decides
METRIC_ALONE = dict(begin=0, interval=100, signs=1, patience=1)
LIMITS = dict(separation=None, feature_norm=None, diversity=None, metric=1.5)
ROLL_BACK = dict(
    multiply=dict(generator=dict(lr=0.5), discriminator=dict(lr=0.1)),
    set=dict(discriminator=dict(weight_decay=1e-2)),
    times=1,
)
SCHEDULE = dict(
    generator=[dict(type="CosineAnnealingLR", T_max=8, by_epoch=False)],
    discriminator=[dict(type="MultiStepLR", milestones=[2, 6], by_epoch=False)],
)


def rolling_config(work_dir, *values, iterations, **more):
    changes = {
        **scripted(*values),
        "train_cfg.max_iters": iterations,
        "param_scheduler": SCHEDULE,
        "default_hooks.checkpoint": dict(interval=1, max_keep=None, save_best="fid"),
        "custom_hooks": [
            *NOISE,
            guard(action="roll_back", limits=LIMITS, roll_back=ROLL_BACK, **METRIC_ALONE),
        ],
        **more,
    }
    return tiny_config(work_dir, **changes)


def rolling(work_dir, *values, iterations, **more):
    runner = GANRunner.from_cfg(rolling_config(work_dir, *values, iterations=iterations, **more))
    runner.train()
    return runner


def test_a_resume_after_a_roll_back_changes_no_bit(tmp_path):
    values = [4.0, 3.0, 9.0, 3.5, 2.5, 2.0, 1.9, 1.8]
    rolling(tmp_path / "whole", *values, iterations=8)
    assert [event["iteration"] for event in events(tmp_path / "whole")] == [3]
    for stop in (3, 5):
        work_dir = tmp_path / f"stopped after {stop}"
        work_dir.mkdir()
        shutil.copy(tmp_path / "whole" / f"iter_{stop}.pth", work_dir)
        resumed = rolling(work_dir, *values[stop:], iterations=8, resume=True)
        assert resumed.message_hub.get_info("collapse_guard")["rollbacks"] == 1
        whole, parts = (load_checkpoint(folder / "iter_8.pth") for folder in (tmp_path / "whole", work_dir))
        for key in ("state_dict", "optimizer", "param_schedulers", "random"):
            assert differences(whole[key], parts[key]) == [], (stop, key)


@pytest.mark.broad
@pytest.mark.skipif(torch.cuda.is_available(), reason="checks the CPU path")
def test_two_processes_roll_back_together(tmp_path):
    module = dict(imports=["tests.test_hooks.test_collapse_guard"], allow_failed_imports=False)
    config = rolling_config(tmp_path / "run", 4.0, 3.0, 9.0, 2.0, iterations=4, custom_imports=module)
    done = launch(config, tmp_path / "run")
    assert done.returncode == 0, done.stderr[-3000:]
    (event,) = events(tmp_path / "run")
    assert (event["iteration"], event["loaded_iteration"]) == (3, 2)
    saved = load_checkpoint(tmp_path / "run" / "iter_3.pth")
    best = load_checkpoint(tmp_path / "run" / "iter_2.pth")
    assert differences(best["state_dict"], saved["state_dict"]) == ["/random._extra_state"]


def test_a_roll_back_takes_weights_and_moments_and_keeps_the_rest(tmp_path):
    rolling(
        tmp_path,
        4.0,
        3.0,
        9.0,
        iterations=3,
        custom_hooks=[guard(action="roll_back", limits=LIMITS, roll_back=ROLL_BACK, **METRIC_ALONE)],
    )
    (event,) = events(tmp_path)
    assert (event["iteration"], event["loaded_iteration"]) == (3, 2)
    assert "since iteration 3 fid rose from 3 (iteration 2) to 9" in event["saw"]
    best, saved = (load_checkpoint(tmp_path / name) for name in ("best_fid.pth", "iter_3.pth"))
    moved = differences(best["state_dict"], saved["state_dict"])
    assert moved == ["/random._extra_state"], "the random streams go on"
    assert saved["state_dict"]["random._extra_state"].tolist() == [3, 3]
    for player in ("generator", "discriminator"):
        states = (file["optimizer"][player]["state"] for file in (best, saved))
        assert differences(*states) == []
    before, after = (
        {player: file["optimizer"][player]["param_groups"][0] for player in ("generator", "discriminator")}
        for file in (load_checkpoint(tmp_path / "iter_2.pth"), saved)
    )
    assert after["discriminator"]["weight_decay"] == 1e-2
    assert after["generator"]["weight_decay"] == before["generator"]["weight_decay"] == 0
    assert after["discriminator"]["lr"] == pytest.approx(0.1 * before["discriminator"]["lr"])
    assert saved["meta"]["iter"] == 3, "the run goes forward"


def test_when_roll_backs_are_used_up_the_training_stops(tmp_path):
    runner = rolling(tmp_path, 4.0, 3.0, 9.0, 9.0, 9.0, iterations=5)
    first, second = events(tmp_path)
    assert (first["action"], second["action"]) == ("roll_back", "stop")
    assert second["reason"] == "1 roll-back(s) did not help"
    assert runner.iter == second["iteration"] == 4
    assert "Action: stopping: 1 roll-back(s) did not help" in log_of(tmp_path)


@HOOKS.register_module(force=True)
class LoseTheBest(Hook):
    """Deletes the best checkpoint, as a tidy person might."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        Path(runner.work_dir, "best_fid.pth").unlink(missing_ok=True)


def test_without_a_best_checkpoint_the_training_stops(tmp_path):
    back = guard(action="roll_back", limits=LIMITS, roll_back=ROLL_BACK, **METRIC_ALONE)
    runner = rolling(tmp_path, 4.0, 9.0, iterations=3, custom_hooks=[dict(type="LoseTheBest"), back])
    assert runner.iter == 2
    assert events(tmp_path)[0]["reason"] == "there is no best_fid.pth to go back to"


def test_a_warning_comes_once_per_collapse(tmp_path):
    warn = guard(action="warn", limits=LIMITS, **METRIC_ALONE)
    values = [4.0, 9.0, 9.0, 4.5, 9.0, 9.0]
    runner = train(
        tmp_path, custom_hooks=[warn], **{**scripted(*values), "default_hooks.checkpoint.save_best": "fid"}
    )
    assert [event["iteration"] for event in events(tmp_path)] == [2, 5]
    assert runner.iter == 6
    assert log_of(tmp_path).count("collapse guard, iteration") == 2


# --- settings ------------------------------------------------------------------------------------
BACK = dict(action="roll_back")
CONSTANT = dict(kind="constant", value=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(action="roll"), "'roll' is unknown.*'roll_back'"),
        (dict(action="stop", roll_back=ROLL_BACK), "the others have none"),
        (BACK, "needs the setting roll_back="),
        (dict(signs=5), r"signs must lie in 1 \.\.\. 4.*signs=5"),
        (dict(patience=0), "patience=0"),
        (dict(limits=dict(separation=0.4)), r"limits.separation must be in \(0.5, 1\] or None, got 0.4"),
        (dict(limits=dict(diversity=1.0)), r"limits.diversity must be in \[0, 1\) or None, got 1.0"),
        (dict(**BACK, roll_back=dict(times=1)), "changes nothing"),
        (
            dict(**BACK, roll_back=dict(multiply=dict(generator=dict(lr=0.5)), times=0)),
            "times must be at least 1",
        ),
        (
            dict(**BACK, roll_back=dict(multiply=dict(generator=dict(lr=-1)))),
            "multiply.generator.lr must be positive",
        ),
        (dict(**BACK, roll_back=dict(set=dict(generator=dict(lr=1e-3)))), "changed by multiply"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        CollapseGuardHook(**settings)


@pytest.mark.parametrize(
    ("change", "hooks", "message"),
    [
        (dict(multiply=dict(critic=dict(lr=0.5))), [], "multiply.critic: no such player"),
        (dict(multiply=dict(generator=dict(rl=0.5))), [], "generator.rl: the optimiser has no such.*'lr'"),
        (dict(multiply=dict(generator=dict(lr_mult=0.5))), [], "lr_mult: the optimiser has no such.* lr,"),
        (dict(multiply=dict(generator=dict(weight_decay=10.0))), [], "it is 0, which no factor changes"),
        (
            dict(set=dict(generator=dict(weight_decay=1e-3))),
            [dict(type="WeightDecayScheduleHook", generator=dict(kind="constant", value=0.1))],
            "WeightDecayScheduleHook would overwrite it",
        ),
        (
            dict(multiply=dict(generator=dict(lr=0.5))),
            [dict(type="SomebodysRateHook")],
            r"generator\.lr: SomebodysRateHook would overwrite it",
        ),
        *(
            (
                {kind: dict(discriminator={name: 0.5})},
                [dict(type="ScheduleHook", values={f"optimizer.discriminator.{name}": CONSTANT})],
                rf"{kind}\.discriminator\.{name}: ScheduleHook would overwrite it",
            )
            for kind, name in (("multiply", "lr"), ("set", "weight_decay"))
        ),
    ],
)
def test_changes_that_cannot_work_are_refused_before_training(change, hooks, message, tmp_path):
    back = guard(action="roll_back", roll_back=change)
    with pytest.raises(ValueError, match=message):
        train(tmp_path, custom_hooks=[*hooks, back], **{"default_hooks.checkpoint.save_best": "fid"})
    assert list(tmp_path.glob("*.pth")) == []


def test_a_roll_back_needs_a_best_checkpoint(tmp_path):
    with pytest.raises(ValueError, match=r"set default_hooks\.checkpoint\.save_best"):
        train(tmp_path, custom_hooks=[guard(action="roll_back", roll_back=ROLL_BACK)])
