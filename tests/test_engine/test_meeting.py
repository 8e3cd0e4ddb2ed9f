"""Ranks that do not find each other, or do not want the same: errors that say so, in time."""

from __future__ import annotations

import socket
import time

import pytest
import torch
import torch.distributed as torch_dist

from mmcgan.apis import train
from mmcgan.config import load_config
from mmcgan.config.validate import find_problems
from mmcgan.distributed import destroy_process_group, initialize_process_group, require_equal

from .ranks import free_port, run_ranks
from .tiny_run import tiny_config


@pytest.fixture
def launched(monkeypatch):
    """Return a function that makes the environment a launcher's."""

    def launch(rank, port):
        values = dict(RANK=rank, WORLD_SIZE=2, LOCAL_RANK=rank, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
        for name, value in values.items():
            monkeypatch.setenv(name, str(value))

    return launch


def test_a_port_in_use_is_named(launched):
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        launched(0, other.getsockname()[1])
        with pytest.raises(
            ConnectionError, match=rf"port {other.getsockname()[1]} of this machine is in use"
        ):
            initialize_process_group(2)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_never_comes_is_an_error_after_the_timeout_of_the_config(rank, launched, tmp_path):
    launched(rank, free_port())
    config = tiny_config(tmp_path / "run", env_cfg=dict(dist_cfg=dict(timeout=1.5)))
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match=r"within 1.5 s"):
        train(config)
    assert time.monotonic() - begin < 30, "the default is ten minutes"
    assert not (tmp_path / "run").exists()


def group_timeout(rank, seconds):
    initialize_process_group(seconds)
    backend = torch_dist.group.WORLD._get_backend(torch.device("cpu"))
    found = backend.options._timeout.total_seconds()
    destroy_process_group()
    return found


def test_the_timeout_of_the_config_is_that_of_the_exchanges(tmp_path):
    assert run_ranks(group_timeout, tmp_path, 77) == [77, 77]


def compare(rank, settings):
    initialize_process_group(20)
    try:
        require_equal(settings[rank], "the config")
    except ValueError as error:
        return str(error)
    finally:
        destroy_process_group()
    return "equal"


def test_ranks_with_unequal_configs_are_told_what_differs(tmp_path):
    first, second = {"a": 1, "model.dim": 3}, {"a": 1, "model.dim": 4}
    answers = run_ranks(compare, tmp_path, [first, second])
    assert answers == ["the config differs between ranks: model.dim is 3 on rank 0, 4 on rank 1"] * 2
    assert run_ranks(compare, tmp_path, [first, first]) == ["equal"] * 2
    answers = run_ranks(compare, tmp_path, [first, {"a": 1}])
    assert "model.dim is 3 on rank 0, not set on rank 1" in answers[1]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("env_cfg.dist_cfg.timeout", 0, "must be a positive number of seconds, got 0"),
        ("env_cfg.dist_cfg.timeout", "soon", "must be a positive number of seconds, got 'soon'"),
        ("env_cfg.tf32", "yes", "must be True or False, got 'yes'"),
        ("env_cfg.dist_cfg.backend", "nccl", "takes no 'backend'"),
        ("distributed.type", "FlatExchang", "Did you mean 'FlatExchange'"),
        ("distributed.bucket_megabytes", -1, "bucket_megabytes must be positive, got -1"),
        ("distributed.bucket_size", 3, "takes no 'bucket_size'"),
        ("distributed.units", 3, "must be"),
    ],
)
def test_bad_settings_are_problems_of_the_config(key, value, message):
    config = load_config("omnigan_biggan_digits-16")
    if key.startswith("distributed"):
        config.distributed = dict(type="ShardedExchange" if key.endswith("units") else "OverlappedExchange")
    config.merge_from_dict({key: value})
    found = [str(problem) for problem in find_problems(config.to_dict())]
    assert len(found) == 1
    assert found[0].startswith(key.rpartition(".")[0]) and message in found[0]
