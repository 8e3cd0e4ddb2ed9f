"""Two processes through tools/dist_train.sh against one process with the double batch."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.distributed import draw_shared, initialize_process_group, own_rows

from . import plain_networks  # noqa: F401 - registers the generator
from .tiny_run import differences, tiny_config, train

ROOT = Path(__file__).parents[2]
PLAIN = {
    "model.generator": dict(_delete_=True, type="PlainGenerator"),
    "custom_imports": dict(imports=["tests.test_engine.plain_networks"], allow_failed_imports=False),
}


def launch(config, work_dir, *arguments, processes=2):
    """Run tools/dist_train.sh on ``config`` and return the finished process."""
    path = work_dir / "config.py"
    work_dir.mkdir(exist_ok=True)
    config.dump(path)
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [
        str(ROOT / "tools/dist_train.sh"),
        str(path),
        str(processes),
        "--work-dir",
        str(work_dir),
        *arguments,
    ]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def plain_config(work_dir, **changes):
    return tiny_config(work_dir, **PLAIN, **changes)


@pytest.mark.broad  # five processes: half a minute on an old processor
@pytest.mark.skipif(torch.cuda.is_available(), reason="checks the CPU path")
def test_two_processes_die_resume_and_equal_one_with_the_double_batch(tmp_path):
    work_dir = tmp_path / "two"
    died = launch(plain_config(work_dir, custom_hooks=[dict(type="DieAt", iteration=4)]), work_dir)
    assert died.returncode != 0, "a dead rank must not look like success"
    since_last_save = time.time() - (work_dir / "iter_3.pth").stat().st_mtime
    assert since_last_save < 120, "a dead rank must end the job soon"

    resumed = launch(plain_config(work_dir, custom_hooks=[dict(type="Witness")]), work_dir, "--resume")
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    assert len(list(work_dir.glob("20*/*.log"))) == 2, "only rank 0 logs"
    seen = [torch.load(work_dir / f"witness_{rank}.pt", weights_only=True) for rank in range(2)]
    assert not torch.equal(seen[0]["latent"], seen[1]["latent"])
    assert differences(seen[0]["weights"], seen[1]["weights"]) == []

    train(tmp_path / "one", **PLAIN, **{"train_dataloader.batch_size": 16})
    one, two = (load_checkpoint(tmp_path / name / "iter_6.pth") for name in ("one", "two"))
    assert two["meta"]["images_seen"] == one["meta"]["images_seen"] == 96
    for name, value in one["state_dict"].items():
        torch.testing.assert_close(two["state_dict"][name], value, rtol=1e-4, atol=2e-6, msg=name)


def test_a_single_process_needs_no_group(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert initialize_process_group() is False
    assert own_rows(torch.arange(4)).tolist() == [0, 1, 2, 3]
    assert draw_shared(torch.arange, 3).tolist() == [0, 1, 2]


def test_an_incomplete_launcher_is_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="RANK, MASTER_ADDR, MASTER_PORT is not set"):
        initialize_process_group()


def test_ranks_share_out_interleaved_rows(monkeypatch):
    monkeypatch.setattr("mmcgan.distributed.get_dist_info", lambda: (1, 3))
    assert own_rows(torch.arange(7)).tolist() == [1, 4]
    assert draw_shared(torch.arange, 2).tolist() == [1, 4]
