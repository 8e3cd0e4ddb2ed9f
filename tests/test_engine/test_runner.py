"""Building, stopping and refusing: what the runner promises beside exact resuming."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from torch import nn

from mmcgan.checkpoints.files import CheckpointError, load_checkpoint
from mmcgan.engine import GANRunner, preserved_random_state
from mmcgan.engine.device import synchronized
from mmcgan.engine.history import KEPT, TRIM_AT, hub_from_plain, hub_to_plain, trim_histories
from mmcgan.engine.signals import StopRequest
from mmcgan.models.layers.normalization import BiasedBatchNorm2d

from .tiny_run import EVALUATION, tiny_config, train

ROOT = Path(__file__).parents[2]


def wait_for(path, seconds=120):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.1)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_on_the_command_line_saves_and_ends_with_status_0(tmp_path):
    config = tiny_config(tmp_path, **{"train_cfg.max_iters": 10**6, "train_dataloader.num_workers": 2})
    config.default_hooks.checkpoint.interval = 5
    config.default_hooks.checkpoint.max_keep = 1
    config.dump(tmp_path / "config.py")
    command = [sys.executable, str(ROOT / "tools/train.py"), str(tmp_path / "config.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = subprocess.Popen(
        [*command, "--work-dir", str(tmp_path / "run")],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_for(tmp_path / "run" / "last_checkpoint")
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: loader workers get it too
        _, errors = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode == 0, errors[-2000:]
    assert "Traceback" not in errors
    (log,) = (tmp_path / "run").glob("*/*.log")
    (line,) = [line for line in log.read_text().splitlines() if "stopped on SIGINT" in line]
    stopped_at = int(line.split("after iteration ")[1].split()[0])
    assert load_checkpoint(tmp_path / "run" / f"iter_{stopped_at}.pth")["meta"]["iter"] == stopped_at


def test_a_stop_ends_an_evaluation_that_is_under_way(tmp_path):
    # MMEngine shares what it logs between runs of one name, and a name is a second of the clock
    runner = GANRunner.from_cfg(tiny_config(tmp_path, experiment_name="a stopped evaluation", **EVALUATION))
    original = runner.model.val_step

    def signal_and_sample(data):
        signal.raise_signal(signal.SIGTERM)
        return original(data)

    runner.model.val_step = signal_and_sample
    runner.train()
    assert runner.iter == 3
    assert (tmp_path / "iter_3.pth").is_file()
    assert "val/level_error" not in runner.message_hub.log_scalars


def test_one_press_is_a_request_and_a_second_one_later_interrupts(monkeypatch):
    with StopRequest() as request:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert request.name == "SIGINT"
        monkeypatch.setattr("mmcgan.engine.signals.SECOND_PRESS_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    train(tmp_path / "small", **{"train_cfg.max_iters": 1})
    wider = {"model.generator.base_channels": 8, "load_from": str(tmp_path / "small" / "iter_1.pth")}
    with pytest.raises(CheckpointError, match=r"iter_1\.pth does not fit the model: wrong shapes: generator"):
        train(tmp_path / "wide", **wider)


def test_a_truncated_checkpoint_falls_back_and_says_so(tmp_path):
    train(tmp_path)
    last = tmp_path / "iter_6.pth"
    last.write_bytes(last.read_bytes()[:1000])
    assert train(tmp_path, resume=True).iter == 6
    text = "\n".join(log.read_text() for log in sorted(tmp_path.glob("*/*.log")))
    assert f"cannot read checkpoint {last} (1000 bytes)" in text
    assert f"falling back to the newest readable checkpoint {tmp_path / 'iter_3.pth'}" in text
    assert load_checkpoint(last)["meta"]["iter"] == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_cfg.max_iters": 0}, r"train_cfg\.max_iters must be a positive integer, got 0"),
        ({"train_cfg.val_interval": 1.5}, r"val_interval must be a positive integer, got 1\.5"),
        ({"randomness.seed": "abc"}, r"randomness\.seed must be an integer or None, got 'abc'"),
        ({"param_scheduler": dict(genrator=[])}, r"no player 'genrator'\. Did you mean 'generator'"),
        ({"model_wrapper_cfg": dict(type="MMDistributedDataParallel")}, "model_wrapper_cfg is not used"),
        ({"compile": dict(modules=["discriminator"])}, r"set model\.step\.split_d=False"),
    ],
)
def test_settings_that_cannot_work_are_named(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **changes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="checks the CPU path")
def test_synchronised_norm_on_cpu_is_refused(tmp_path):
    runner = GANRunner.from_cfg(tiny_config(tmp_path, sync_bn="torch"))
    runner._distributed = True
    with pytest.raises(ValueError, match="sync_bn='torch' needs CUDA"):
        runner.wrap_model(None, runner.model)


def test_the_run_seed_reaches_the_random_streams(tmp_path):
    runner = GANRunner.from_cfg(tiny_config(tmp_path, randomness=dict(seed=17)))
    assert runner.model.random.seed == 17


def test_global_generators_are_put_back():
    torch.manual_seed(1)
    np.random.seed(1)
    with preserved_random_state():
        inside = torch.rand(2), np.random.rand(2)
    assert torch.equal(torch.rand(2), inside[0])
    assert np.array_equal(np.random.rand(2), inside[1])


def test_histories_survive_as_plain_data_and_stay_short():
    hub = MessageHub.get_instance("history")
    hub.log_scalars["train/loss"] = HistoryBuffer(np.arange(TRIM_AT + 1.0), np.ones(TRIM_AT + 1))
    trim_histories(hub)
    assert len(hub.get_scalar("train/loss").data[0]) == KEPT
    hub.update_info("live", object())
    plain = hub_to_plain(hub)
    assert "live" not in plain["info"]
    restored = MessageHub.get_instance("restored history")
    hub_from_plain(restored, plain)
    assert restored.get_scalar("train/loss").mean(10) == hub.get_scalar("train/loss").mean(10)


@pytest.mark.slow
def test_compiling_in_place_keeps_keys_and_trains(tmp_path):
    # SGD: Adam would blow rounding differences of vanishing gradients up to whole steps
    sgd = dict(_delete_=True, type="SGD", lr=0.01)
    changes = {f"optim_wrapper.{player}.optimizer": sgd for player in ("generator", "discriminator")}
    changes["train_cfg.max_iters"] = 2
    plain = train(tmp_path / "plain", **changes)
    compiled = train(tmp_path / "compiled", **changes, compile=dict(modules=["generator"]))
    weights, expected = compiled.model.state_dict(), plain.model.state_dict()
    assert list(weights) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_a_schedule_of_one_player_leaves_the_other_alone(tmp_path):
    decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.0, end=6, by_epoch=False)
    runner = train(tmp_path, param_scheduler=dict(generator=decay))
    rates = {player: optimizer.get_lr()["lr"][0] for player, optimizer in runner.optim_wrapper.items()}
    assert rates == {"generator": pytest.approx(0.0, abs=1e-9), "discriminator": 1e-3}


def test_none_switches_off_any_hook_of_a_base_config(tmp_path):
    config = tiny_config(tmp_path)
    config.default_hooks.update(generator_ema=None, logger=None)
    hooks = {type(hook).__name__ for hook in GANRunner.from_cfg(config).hooks}
    assert "GANCheckpointHook" in hooks
    assert not hooks & {"GeneratorEMAHook", "LoggerHook"}


def test_synchronised_norms_keep_their_mode_and_others_are_refused():
    model = nn.ModuleDict({"net": nn.BatchNorm2d(3, affine=False), "ema": nn.BatchNorm2d(3).eval()})
    model["ema"].running_mean[0] = 7
    found = synchronized(model, "torch")
    assert {type(norm) for norm in found.values()} == {nn.SyncBatchNorm}
    assert found["net"].training and not found["ema"].training
    assert found["ema"].running_mean[0] == 7
    with pytest.raises(ValueError, match=r"0 \(BiasedBatchNorm2d\) and 0 more keep statistics"):
        synchronized(nn.Sequential(BiasedBatchNorm2d(3)), "torch")
