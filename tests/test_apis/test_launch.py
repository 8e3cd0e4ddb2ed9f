"""Launchers differ in what they leave in the environment."""

import os

import pytest

from mmcgan.apis.launch import is_main_process, join_launcher


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID"):
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)
    return monkeypatch


def test_slurm_task_becomes_a_rank(environment):
    slurm = {"SLURM_PROCID": "3", "SLURM_NTASKS": "8", "SLURM_LOCALID": "1", "MASTER_ADDR": "node7"}
    for name, value in slurm.items():
        environment.setenv(name, value)
    join_launcher("slurm")
    assert [os.environ[name] for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")] == ["3", "8", "1"]
    assert not is_main_process()


@pytest.mark.parametrize("launcher", ["pytorch", "slurm"])
def test_launcher_that_did_not_start_us_is_an_error(launcher):
    with pytest.raises(ValueError, match=f"--launcher {launcher}: start with"):
        join_launcher(launcher)


def test_no_launcher_changes_nothing():
    before = dict(os.environ)
    join_launcher("none")
    assert dict(os.environ) == before and is_main_process()
