"""Two machines, as far as one has two: two agents of torchrun that meet at an address, killed and resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.cli import main
from tests.test_datasets.life import pictures, write_config
from tests.test_engine.ranks import free_port
from tests.test_engine.tiny_run import differences

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(torch.cuda.is_available(), reason="checks the CPU path"),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc"),
]

ROOT = Path(__file__).parents[2]
HELD = 4  # the iteration at whose end the machine is lost
MORE = f"""
custom_imports = dict(imports=['tests.test_engine.plain_networks'], allow_failed_imports=False)
custom_hooks = [dict(type='HoldAt', iteration={HELD})]
train_cfg.update(max_iters=8, val_interval=8)
default_hooks['checkpoint'].update(interval=1)
"""


def start(config, work_dir, *arguments, hold=None):
    """Start the documented line on both "machines"; return their agents."""
    port, agents = free_port(), []
    for node in range(2):
        environment = {
            **os.environ,
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "NNODES": "2",
            "NODE_RANK": str(node),
            "MASTER_ADDR": "127.0.0.1",
            "PORT": str(port),
        }
        if hold is not None:
            environment["MMCGAN_TEST_HOLD"] = str(hold)
        command = [ROOT / "tools/dist_train.sh", config, "1", "--work-dir", work_dir, *arguments]
        log = (work_dir.parent / f"agent-{node}-{work_dir.name}-{len(arguments)}.log").open("w")
        agents.append(
            subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=log, cwd=ROOT)
        )
    return agents


def lose(agent):
    """Kill an agent and all that it started, as when a machine loses its power."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents.setdefault(int(fields[1]), []).append(int(place.parent.name))
    lost = [agent.pid]
    for process in lost:
        lost += parents.get(process, [])
    for process in lost:
        os.kill(process, signal.SIGKILL)


def said(folder):
    logs = sorted(folder.glob("agent-*.log"))
    return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in logs)


@pytest.fixture
def config(tmp_path):
    """A config that trains eight iterations from shards, with two workers."""
    for name, kind, image in pictures(12):
        (tmp_path / "set" / kind).mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / "set" / kind / name)
    packed = str(tmp_path / "shards")
    assert main(["pack-dataset", str(tmp_path / "set"), packed, "--to", "shards", "--shard-images", "3"]) == 0
    dataset = dict(type="ShardDataset", root=packed, image_size=8)
    path = write_config(tmp_path, dataset, "ShardShuffle", workers=2)
    path.write_text(path.read_text() + MORE)
    return path


@pytest.mark.parametrize("killed", [0, 1], ids=["the first machine", "the second machine"])
def test_two_agents_train_are_killed_and_go_on_exactly(config, tmp_path, killed):
    whole = start(config, tmp_path / "whole")
    assert [agent.wait(600) for agent in whole] == [0, 0], said(tmp_path)

    parts, hold = tmp_path / "parts", tmp_path / "hold"
    hold.mkdir()
    agents = start(config, parts, hold=hold)
    limit = time.monotonic() + 600
    while len(list(hold.glob("held-*"))) < 2:
        assert time.monotonic() < limit and agents[0].poll() is None, said(tmp_path)
        time.sleep(0.1)
    lose(agents[killed])
    (hold / "go").touch()
    assert agents[1 - killed].wait(600) != 0, "a machine that is alone must not look like success"
    assert not (parts / "iter_8.pth").exists()

    again = start(config, parts, "--resume")
    assert [agent.wait(600) for agent in again] == [0, 0], said(tmp_path)
    one, two = (load_checkpoint(folder / "iter_8.pth") for folder in (tmp_path / "whole", parts))
    assert two["meta"]["images_seen"] == one["meta"]["images_seen"] == 8 * 4 * 2
    assert differences(one["state_dict"], two["state_dict"]) == []
