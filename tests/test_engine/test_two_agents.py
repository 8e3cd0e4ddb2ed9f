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
]

ROOT = Path(__file__).parents[2]


def start(config, work_dir, *arguments):
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
        command = [ROOT / "tools/dist_train.sh", config, "1", "--work-dir", work_dir, *arguments]
        log = (work_dir.parent / f"agent-{node}-{len(arguments)}.log").open("w")
        agents.append(
            subprocess.Popen(
                list(map(str, command)), env=environment, stdout=log, stderr=log, start_new_session=True
            )
        )
    return agents


def said(folder):
    return "\n".join(file.read_text()[-1500:] for file in sorted(folder.glob("agent-*.log")))


@pytest.fixture
def config(tmp_path):
    """A config that trains four iterations from shards, with two workers."""
    for name, kind, image in pictures(12):
        (tmp_path / "set" / kind).mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / "set" / kind / name)
    packed = str(tmp_path / "shards")
    assert main(["pack-dataset", str(tmp_path / "set"), packed, "--to", "shards", "--shard-images", "3"]) == 0
    dataset = dict(type="ShardDataset", root=packed, image_size=8)
    path = write_config(tmp_path, dataset, "ShardShuffle", workers=2)
    text = path.read_text()
    path.write_text(f"{text}\ndefault_hooks['checkpoint'].update(interval=1)\n")
    return path


@pytest.mark.parametrize("killed", [0, 1], ids=["the first machine", "the second machine"])
def test_two_agents_train_are_killed_and_go_on_exactly(config, tmp_path, killed):
    whole = start(config, tmp_path / "whole")
    assert [agent.wait(300) for agent in whole] == [0, 0], said(tmp_path)

    parts = tmp_path / "parts"
    agents = start(config, parts)
    limit = time.monotonic() + 200
    while not list(parts.glob("iter_2.pth")) and time.monotonic() < limit:
        time.sleep(0.02)
    os.killpg(agents[killed].pid, signal.SIGKILL)  # as when a machine loses its power
    assert agents[1 - killed].wait(200) != 0, "a machine that is alone must not look like success"
    assert not (parts / "iter_4.pth").exists(), "it was killed too late to show anything"

    again = start(config, parts, "--resume")
    assert [agent.wait(300) for agent in again] == [0, 0], said(tmp_path)
    one, two = (load_checkpoint(folder / "iter_4.pth") for folder in (tmp_path / "whole", parts))
    assert two["meta"]["images_seen"] == one["meta"]["images_seen"] == 4 * 4 * 2
    assert differences(one["state_dict"], two["state_dict"]) == []
