"""A resumed run is bit-identical to one that never stopped."""

from __future__ import annotations

import signal

import pytest
from mmengine.hooks import Hook

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.registry import HOOKS
from tests.careless_plugin import CarelessPlugin as CarelessPlugin  # registers it

from .tiny_run import EVALUATION, differences, train


@HOOKS.register_module(force=True)
class SignalAt(Hook):
    """Sends this process a signal in the middle of an iteration."""

    def __init__(self, iteration, number):
        self.iteration, self.number = iteration, number

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx + 1 == self.iteration:
            signal.raise_signal(self.number)


NOISE = [dict(type="CarelessPlugin")]
SCHEDULE = dict(
    generator=[dict(type="CosineAnnealingLR", T_max=6, by_epoch=False)],
    discriminator=[dict(type="MultiStepLR", milestones=[2, 5], by_epoch=False)],
)
SETTINGS = {
    "plain": {},
    "workers": {"train_dataloader.num_workers": 2},
    "evaluated": EVALUATION,
    "accumulation": {"train_dataloader.batch_size": 16, "model.step": dict(d_accumulation=2, n_critic=2)},
    "schedules": {
        "param_scheduler": SCHEDULE,
        "custom_hooks": [
            *NOISE,
            dict(type="WeightDecayScheduleHook", generator=dict(kind="cosine", start=0.1, end=0.0)),
        ],
    },
    "bfloat16": {
        "optim_wrapper.precision": "bfloat16",
        "model.data_preprocessor": dict(type="GANDataPreprocessor", channels_last=True, flip_probability=0.5),
    },
}


def final(work_dir):
    """Return what training has learnt: weights, average, optimisers, schedules and generators."""
    state = load_checkpoint(work_dir / "iter_6.pth")
    assert state["meta"]["iter"] == 6
    keys = ("state_dict", "optimizer", "param_schedulers", "random")
    return {key: state[key] for key in keys} | {"images_seen": state["meta"]["images_seen"]}


@pytest.mark.parametrize("setting", SETTINGS)
def test_resuming_changes_no_bit(setting, tmp_path):
    changes = {"custom_hooks": NOISE, **SETTINGS[setting]}
    train(tmp_path / "whole", **changes)
    train(tmp_path / "parts", **changes)
    (tmp_path / "parts" / "iter_6.pth").unlink()
    resumed = train(tmp_path / "parts", resume=True, **changes)
    assert resumed.message_hub.get_scalar("train/d_adversarial_real").data[0].size == 6
    assert differences(final(tmp_path / "whole"), final(tmp_path / "parts")) == []


def test_a_run_depends_on_its_seed(tmp_path):
    train(tmp_path / "one")
    train(tmp_path / "two", randomness=dict(seed=4))
    assert differences(final(tmp_path / "one"), final(tmp_path / "two"))


def test_evaluation_does_not_move_training(tmp_path):
    train(tmp_path / "without", custom_hooks=NOISE)
    grid = dict(type="SampleGridHook", interval=2, rows=1)
    train(tmp_path / "with", custom_hooks=[*NOISE, grid], **EVALUATION)
    assert differences(final(tmp_path / "without"), final(tmp_path / "with")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_saves_and_resumes_without_changing_a_bit(number, tmp_path):
    handler = signal.getsignal(number)
    stop = dict(type="SignalAt", iteration=4, number=int(number))
    stopped = train(tmp_path / "parts", custom_hooks=[*NOISE, stop], **EVALUATION)
    assert stopped.iter == 4
    assert (tmp_path / "parts" / "iter_4.pth").is_file()
    assert signal.getsignal(number) == handler
    train(tmp_path / "parts", resume=True, custom_hooks=NOISE, **EVALUATION)
    train(tmp_path / "whole", custom_hooks=NOISE, **EVALUATION)
    assert differences(final(tmp_path / "whole"), final(tmp_path / "parts")) == []


def test_an_evaluation_missed_by_a_stop_is_made_up_for(tmp_path):
    stop = dict(type="SignalAt", iteration=3, number=int(signal.SIGTERM))
    stopped = train(tmp_path, custom_hooks=[stop], **EVALUATION)
    assert "val/level_error" not in stopped.message_hub.log_scalars
    resumed = train(tmp_path, resume=True, **EVALUATION)
    assert len(resumed.message_hub.get_scalar("val/level_error").data[0]) == 2


def test_resume_takes_the_seed_of_the_checkpoint(tmp_path):
    train(tmp_path / "whole", randomness=dict(seed=None), train_cfg=dict(max_iters=3))
    seed = load_checkpoint(tmp_path / "whole" / "iter_3.pth")["meta"]["seed"]
    resumed = train(tmp_path / "whole", resume=True, randomness=dict(seed=None))
    assert resumed.seed == seed
    assert resumed.train_dataloader.sampler.seed == seed
    train(tmp_path / "other", randomness=dict(seed=seed))
    assert differences(final(tmp_path / "whole"), final(tmp_path / "other")) == []


def test_nothing_to_resume_starts_afresh(tmp_path):
    assert train(tmp_path, resume=True, train_cfg=dict(max_iters=1)).iter == 1
