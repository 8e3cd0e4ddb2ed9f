"""Every signal of a scheduler or terminal, to the run or all its processes, ends with the iteration kept."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmcgan.checkpoints.files import list_checkpoints, load_checkpoint
from mmcgan.engine.signals import SIGNALS, StopRequest
from tests.test_trust.guard import ROOT

from .tiny_run import EVALUATION, tiny_config

LAUNCHER = (
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc_per_node=2",
    "--no-python",
    sys.executable,
)


MARK = "MMCGAN_TEST_RUN"


def endless(folder, **changes):
    """Write the config of a run that does not end by itself."""
    config = tiny_config(folder, **{"train_cfg.max_iters": 10**6, **changes})
    config.default_hooks.checkpoint.interval = 10**6
    config.default_hooks.checkpoint.max_keep = 2
    config.dump(folder / "config.py")


def hang_up_ends():
    """Undo what a process inherits when the tests themselves run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def start(folder, *launcher):
    run = ["-m", "mmcgan", "train", str(folder / "config.py"), "--work-dir", str(folder / "run")]
    return subprocess.Popen(
        [sys.executable, *launcher, *run],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            MARK: str(folder),
        },
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("w"),
        start_new_session=True,
        preexec_fn=hang_up_ends,
    )


def wait_until(happened, seconds=120):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def under_way(folder):
    return any("Iter(train)" in log.read_text() for log in (folder / "run").glob("*/*.log"))


def processes_of(folder):
    """Return all processes of a run; ranks have sessions, and so groups, of their own."""
    found = []
    for other in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}={folder}".encode() in (other / "environ").read_bytes().split(b"\0"):
                found.append(int(other.name))
    return found


def all_are_gone(folder):
    return not processes_of(folder)


def kill_all(folder):
    for process in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


ALWAYS = (signal.SIGTERM,)


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=() if n in ALWAYS else pytest.mark.broad) for n in SIGNALS]
)
def test_a_signal_to_the_whole_group_leaves_the_workers_to_the_run(number, tmp_path):
    endless(tmp_path, **{"train_dataloader.num_workers": 2})
    process = start(tmp_path)
    try:
        wait_until(lambda: under_way(tmp_path))
        os.killpg(process.pid, number)
        status = process.wait(120)
        errors = (tmp_path / "errors.txt").read_text()
        assert status == 0, errors[-2000:]
        assert "Traceback" not in errors
        (saved,) = list_checkpoints(tmp_path / "run")
        assert load_checkpoint(saved)["meta"]["iter"] > 0
        wait_until(lambda: all_are_gone(tmp_path), 30)
    finally:
        kill_all(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "to_group"),
    [
        *((signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGUSR1, False), (signal.SIGUSR1, True)),
        *((signal.SIGHUP, True), (signal.SIGKILL, False)),
    ],
)
def test_ranks_end_with_their_launcher_and_keep_the_iteration(number, to_group, tmp_path):
    imports = dict(imports=["tests.test_engine.tiny_run"], allow_failed_imports=False)
    endless(tmp_path, custom_imports=imports, **EVALUATION)
    process = start(
        tmp_path,
        *LAUNCHER,
    )
    try:
        wait_until(lambda: under_way(tmp_path))
        if not to_group:
            process.send_signal(number)
        else:
            for receiver in processes_of(tmp_path):
                os.kill(receiver, number)
        process.wait(120)
        wait_until(lambda: all_are_gone(tmp_path), 60)
        assert list_checkpoints(tmp_path / "run")
    finally:
        kill_all(tmp_path)


def test_a_signal_that_the_run_was_started_to_ignore_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with StopRequest() as request:
            signal.raise_signal(signal.SIGHUP)
        assert request.name is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_while_everything_is_imported_is_a_request_too(tmp_path):
    endless(tmp_path)
    process = start(tmp_path)
    try:
        # the command has begun once torch's libraries are being mapped
        wait_until(lambda: "libtorch" in Path(f"/proc/{process.pid}/maps").read_text())
        process.send_signal(signal.SIGUSR1)
        assert process.wait(120) == 0, (tmp_path / "errors.txt").read_text()[-2000:]
    finally:
        kill_all(tmp_path)


def test_a_signal_during_the_start_ends_the_run_before_its_first_iteration(tmp_path):
    from mmcgan.engine import GANRunner

    with StopRequest():
        signal.raise_signal(signal.SIGTERM)
        runner = GANRunner.from_cfg(tiny_config(tmp_path, experiment_name="stopped at the start"))
        runner.train()
    assert runner.iter == 0
    assert not list_checkpoints(tmp_path)
