"""Files survive kills, damage is noticed, and nothing is executed on reading."""

from __future__ import annotations

import collections
import os
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.files import (
    CheckpointError,
    load_checkpoint,
    load_weights,
    newest_valid,
    save_checkpoint,
    strip_prefix,
    to_plain,
    write_pointer,
)


def put(folder, iteration):
    path = folder / f"iter_{iteration}.pth"
    save_checkpoint({"state_dict": {"w": torch.full((64,), float(iteration))}}, path)
    return path


def test_round_trip_of_plain_data(tmp_path):
    state = {
        "array": np.arange(3.0),
        "scalar": np.float64(0.5),
        "counter": collections.Counter({2: 1}),
        "nested": [(1, "a", None, True), {"path": tmp_path}],
        "view": torch.zeros(100_000)[:2],
    }
    save_checkpoint(state, tmp_path / "state.pth")
    loaded = load_checkpoint(tmp_path / "state.pth")
    assert torch.equal(loaded["array"], torch.arange(3.0, dtype=torch.float64))
    assert (loaded["scalar"], loaded["counter"][2]) == (0.5, 1)
    assert loaded["nested"] == [(1, "a", None, True), {"path": str(tmp_path)}]
    assert (tmp_path / "state.pth").stat().st_size < 10_000, "a view must not drag its storage along"


def test_live_objects_are_refused_by_place():
    with pytest.raises(TypeError, match=r"checkpoint\['hooks'\]\[0\] is a object"):
        to_plain({"hooks": [object()]})


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = put(tmp_path, 1)
    before = path.read_bytes()

    def fail(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        atomic_write(path, fail)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["iter_1.pth"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_while_writing_leaves_the_old_file(tmp_path):
    path = put(tmp_path, 1)
    child = os.fork()
    if child == 0:  # dies like a process that is killed: no clean-up runs

        def die(file):
            file.write(b"half")
            file.flush()
            os._exit(9)

        atomic_write(path, die)
    os.waitpid(child, 0)
    assert load_checkpoint(path)["state_dict"]["w"][0] == 1
    assert newest_valid(tmp_path) == (path, [])


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[content.index(torch.tensor(20.0).numpy().tobytes() * 8)] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [truncate, empty, flip])
def test_a_damaged_newest_file_is_reported_and_skipped(damage, tmp_path):
    good, bad = put(tmp_path, 3), put(tmp_path, 20)
    damage(bad)
    path, problems = newest_valid(tmp_path)
    assert path == good
    assert len(problems) == 1
    assert str(bad) in problems[0]


def test_a_missing_newest_file_is_reported(tmp_path):
    good, gone = put(tmp_path, 3), put(tmp_path, 20)
    write_pointer(tmp_path, gone)
    gone.unlink()
    path, problems = newest_valid(tmp_path)
    assert path == good
    assert "names iter_20.pth, which does not exist" in problems[0]


def test_newest_means_highest_iteration_not_highest_name(tmp_path):
    put(tmp_path, 9)
    newer = put(tmp_path, 10)
    assert newest_valid(tmp_path)[0] == newer


def test_the_best_file_is_the_last_resort(tmp_path):
    assert newest_valid(tmp_path) == (None, [])
    best = put(tmp_path, 5).rename(tmp_path / "best_fid.pth")
    assert newest_valid(tmp_path)[0] == best


def test_code_in_a_file_is_not_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    path = tmp_path / "evil.pth"
    torch.save({"state_dict": Evil()}, path)
    with pytest.raises(CheckpointError, match="cannot read checkpoint"):
        load_checkpoint(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError, match="cannot read checkpoint") as caught:
        load_checkpoint(path)
    # torch's own message advises to execute the file
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "executed").exists()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.pth"):
        load_checkpoint(tmp_path / "nothing.pth")


def test_wrapper_prefix_is_stripped():
    assert strip_prefix({"module.a": 1, "module.b": 2}) == {"a": 1, "b": 2}
    assert strip_prefix({"module.a": 1, "b": 2}) == {"module.a": 1, "b": 2}


def test_what_does_not_fit_is_said_briefly_and_nothing_is_loaded():
    module = nn.Linear(2, 2)
    before = module.weight.detach().clone()
    with pytest.raises(
        CheckpointError, match=r"x\.pth does not fit the model: wrong shapes: bias is \(3,\) there"
    ):
        load_weights(module, {"weight": torch.ones(2, 2), "bias": torch.ones(3)}, "x.pth")
    with pytest.raises(CheckpointError, match=r"missing: bias; unexpected: module\.bias"):
        load_weights(module, {"weight": torch.ones(2, 2), "module.bias": torch.ones(2)}, "x.pth")
    assert torch.equal(module.weight, before)
