"""An evaluation that a stop has cut off decides what it would have decided, once the run goes on."""

from __future__ import annotations

import signal

import pytest
from mmengine.hooks import Hook

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.registry import HOOKS
from tests.test_hooks import test_collapse_guard as guards

from .test_resume import NOISE, final
from .tiny_run import EVALUATION, differences, train


@HOOKS.register_module(force=True)
class StopInEvaluation(Hook):
    """Sends this process a signal in the middle of an evaluation."""

    def __init__(self, iteration, number):
        self.iteration, self.number = iteration, number

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.iteration:
            signal.raise_signal(self.number)


@HOOKS.register_module(force=True)
class NotesWhatItSees(Hook):
    """A hook of somebody else that notes an evaluation, and acts on it once the iteration is over."""

    def __init__(self):
        self.evaluated = None

    def after_val_epoch(self, runner, metrics=None):
        self.evaluated = metrics

    def after_iteration(self, runner):
        if self.evaluated is not None:
            noted = runner.message_hub.runtime_info.get("noted", [])
            runner.message_hub.update_info("noted", [*noted, runner.iter])
            self.evaluated = None


BEST = "best_level_error.pth"
# the guard always sees a sign: a third check in a row without an evaluation that improves would be a collapse
GUARD = dict(type="CollapseGuardHook", begin=0, interval=1, signs=1, patience=3, limits=dict(diversity=0.99))


def decided(work_dir):
    """Return what evaluations have decided, as far as it is on disk."""
    last, best = load_checkpoint(work_dir / "iter_6.pth"), load_checkpoint(work_dir / BEST)
    info = last["message_hub"]["info"]
    return {
        **{key: info.get(key) for key in ("best_metric", "collapse_guard", "early_stop", "noted")},
        "best file": {"iter": best["meta"]["iter"], "weights": best["state_dict"]},
        "events": guards.events(work_dir),
    }


def judged(work_dir, rule, *more, **settings):
    hooks = [
        *NOISE,
        *more,
        GUARD,
        dict(type="EarlyStopHook", monitor="level_error", rule=rule),
        dict(type="NotesWhatItSees"),
    ]
    kept = dict(type="GANCheckpointHook", interval=3, max_keep=None, save_best="level_error", rule=rule)
    return train(work_dir, custom_hooks=hooks, **EVALUATION, **{"default_hooks.checkpoint": kept}, **settings)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Return the folder of a run that nobody stopped, by the rule of its metric."""
    folders = {}

    def folder_of(rule):
        if rule not in folders:
            folders[rule] = tmp_path_factory.mktemp(rule)
            judged(folders[rule], rule)
        return folders[rule]

    return folder_of


@pytest.mark.parametrize("rule", ["less", "greater"])
@pytest.mark.parametrize("iteration", [3, 6])
@pytest.mark.parametrize("where", ["SignalAt", "StopInEvaluation"])
def test_a_late_evaluation_decides_about_the_weights_that_it_has_seen(
    where, iteration, rule, unbroken, tmp_path
):
    stop = dict(type=where, iteration=iteration, number=int(signal.SIGTERM))
    stopped = judged(tmp_path, rule, stop)
    assert stopped.iter == iteration and stopped.train_loop.owes_evaluation
    resumed = judged(tmp_path, rule, resume=True)
    assert not resumed.train_loop.owes_evaluation
    assert differences(decided(unbroken(rule)), decided(tmp_path)) == []
    assert differences(final(unbroken(rule)), final(tmp_path)) == []


def test_the_unbroken_runs_have_something_to_compare(unbroken):
    ends = {rule: decided(unbroken(rule)) for rule in ("less", "greater")}
    for end in ends.values():
        assert end["collapse_guard"]["since"] == {"diversity": 1} and end["events"] == []
        assert end["noted"] == [3, 6]
        assert end["best file"]["iter"] == end["best_metric"]["iter"]
    assert {end["best file"]["iter"] for end in ends.values()} == {3, 6}, "each iteration is the best once"


def test_a_stop_in_the_evaluation_that_is_made_up_for_leaves_it_to_the_next_run(unbroken, tmp_path):
    number = int(signal.SIGTERM)
    judged(tmp_path, "less", dict(type="SignalAt", iteration=3, number=number))
    again = judged(tmp_path, "less", dict(type="StopInEvaluation", iteration=3, number=number), resume=True)
    assert again.iter == 3 and again.train_loop.owes_evaluation
    assert not (tmp_path / BEST).exists()
    judged(tmp_path, "less", resume=True)
    assert differences(decided(unbroken("less")), decided(tmp_path)) == []


def test_a_roll_back_of_a_late_evaluation_is_that_of_the_unbroken_run(tmp_path):
    values = [4.0, 3.0, 9.0, 3.5, 2.5, 2.0]
    guards.rolling(tmp_path / "whole", *values, iterations=6)
    (event,) = guards.events(tmp_path / "whole")
    assert (event["iteration"], event["action"]) == (3, "roll_back")
    parts = tmp_path / "parts"
    config = guards.rolling_config(parts, *values, iterations=6)
    stop = dict(type="SignalAt", iteration=3, number=int(signal.SIGTERM))
    guards.rolling(parts, *values, iterations=6, custom_hooks=[*config.custom_hooks, stop])
    assert guards.events(parts) == [], "nothing is decided before the evaluation"
    guards.rolling(parts, *values[2:], iterations=6, resume=True)
    assert guards.events(parts) == [event]
    assert differences(final(tmp_path / "whole"), final(parts)) == []
